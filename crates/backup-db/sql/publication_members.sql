-- Tables and schemas of publications.
select r.oid, r.prpubid as publication, r.prrelid as relation, null as member_schema,
       pg_get_expr(r.prqual, r.prrelid) as condition, --@ 15..
       null as condition, --@ ..14
       case when r.prattrs is not null then array(select a.attname from unnest(r.prattrs::int2[]) with ordinality u(n, o) join pg_attribute a on a.attrelid = r.prrelid and a.attnum = u.n order by u.o) end as columns --@ 15..
       null::name[] as columns --@ ..14
  from pg_publication_rel r
union all --@ 15..
select s.oid, s.pnpubid, null, n.nspname, null, null from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid --@ 15..
 order by 1
