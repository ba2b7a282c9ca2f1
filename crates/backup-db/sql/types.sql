-- Types, without the array types and row types that come with another object.
select t.oid, t.typname as name, n.nspname as schema, pg_get_userbyid(t.typowner) as owner,
       t.typacl::text[] as acl, acldefault('T', t.typowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       n.nspname = 'pg_catalog' as system,
       t.typtype as kind, t.typisdefined as defined, t.typrelid as relation,
       t.typlen as length, t.typbyval as by_value, t.typalign as alignment, t.typstorage as storage,
       t.typcategory as category, t.typispreferred as preferred, t.typdelim as delimiter,
       case when t.typelem <> 0 then format_type(t.typelem, null) end as element,
       nullif(t.typinput, 0)::regproc::text as input, nullif(t.typoutput, 0)::regproc::text as output,
       nullif(t.typreceive, 0)::regproc::text as receive, nullif(t.typsend, 0)::regproc::text as send,
       nullif(t.typmodin, 0)::regproc::text as modifier_in, nullif(t.typmodout, 0)::regproc::text as modifier_out,
       nullif(t.typanalyze, 0)::regproc::text as analyze, nullif(t.typsubscript, 0)::regproc::text as subscript,
       t.typdefault as default_text, pg_get_expr(t.typdefaultbin, 0) as default_expression,
       t.typcollation <> 0 as collatable,
       t.typnotnull as not_null,
       case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as base_type,
       case when t.typtype = 'd' and t.typcollation <> b.typcollation
            then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end as collation,
       array(select e.enumlabel from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels,
       (select row_to_json(x) from (
          select format_type(r.rngsubtype, null) as subtype,
                 case when not oc.opcdefault then quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) end as operator_class,
                 case when r.rngcollation <> st.typcollation then quote_ident(rcn.nspname) || '.' || quote_ident(rc.collname) end as collation,
                 nullif(r.rngcanonical, 0)::regproc::text as canonical, nullif(r.rngsubdiff, 0)::regproc::text as subtype_diff,
                 quote_ident(mn.nspname) || '.' || quote_ident(mt.typname) as multirange
            from pg_range r
            join pg_type st on st.oid = r.rngsubtype
            join pg_opclass oc on oc.oid = r.rngsubopc join pg_namespace ocn on ocn.oid = oc.opcnamespace
            join pg_type mt on mt.oid = r.rngmultitypid join pg_namespace mn on mn.oid = mt.typnamespace
            left join pg_collation rc on rc.oid = r.rngcollation left join pg_namespace rcn on rcn.oid = rc.collnamespace
           where r.rngtypid = t.oid) x) as range
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_type b on b.oid = t.typbasetype
  left join pg_collation co on co.oid = t.typcollation
  left join pg_namespace cn on cn.oid = co.collnamespace
  left join pg_class r on r.oid = t.typrelid
  left join pg_init_privs i on i.objoid = t.oid and i.classoid = 'pg_type'::regclass and i.objsubid = 0
 where t.typtype <> 'm'
   and (t.typrelid = 0 or r.relkind = 'c')
   and not exists (select from pg_type e where e.oid = t.typelem and e.typarray = t.oid)
   and ((n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or (n.nspname = 'pg_catalog' and t.typacl is distinct from i.initprivs and t.oid < 16384))
 order by t.oid
