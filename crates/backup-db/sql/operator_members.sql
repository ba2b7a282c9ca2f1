-- Operators and support functions of operator families. `class` is the operator class that a member belongs to; none: it is loose in the family.
select 'pg_amop' as catalogue, m.oid, m.amopfamily as family, quote_ident(wn.nspname) || '.' || quote_ident(w.opfname) || ' USING ' || quote_ident(wa.amname) as family_name, d.refobjid as class,
       m.amopstrategy as number, m.amopopr::regoperator::text as member,
       format_type(m.amoplefttype, null) as left_type, format_type(m.amoprighttype, null) as right_type,
       case when m.amopsortfamily <> 0 then quote_ident(n.nspname) || '.' || quote_ident(f.opfname) end as sort_family
  from pg_amop m
  join pg_opfamily w on w.oid = m.amopfamily join pg_namespace wn on wn.oid = w.opfnamespace join pg_am wa on wa.oid = w.opfmethod
  left join pg_depend d on d.classid = 'pg_amop'::regclass and d.objid = m.oid and d.refclassid = 'pg_opclass'::regclass and d.deptype = 'i'
  left join pg_opfamily f on f.oid = m.amopsortfamily left join pg_namespace n on n.oid = f.opfnamespace
 where m.oid >= 16384
union all
select 'pg_amproc', m.oid, m.amprocfamily, quote_ident(wn.nspname) || '.' || quote_ident(w.opfname) || ' USING ' || quote_ident(wa.amname), d.refobjid, m.amprocnum, m.amproc::regprocedure::text,
       format_type(m.amproclefttype, null), format_type(m.amprocrighttype, null), null
  from pg_amproc m
  join pg_opfamily w on w.oid = m.amprocfamily join pg_namespace wn on wn.oid = w.opfnamespace join pg_am wa on wa.oid = w.opfmethod
  left join pg_depend d on d.classid = 'pg_amproc'::regclass and d.objid = m.oid and d.refclassid = 'pg_opclass'::regclass and d.deptype = 'i'
 where m.oid >= 16384
 order by 1, 3, 8, 9, 6, 2
