-- Transforms.
select t.oid, format_type(t.trftype, null) || ' LANGUAGE ' || quote_ident(l.lanname) as name,
       nullif(t.trffromsql, 0)::regprocedure::text as from_sql, nullif(t.trftosql, 0)::regprocedure::text as to_sql
  from pg_transform t join pg_language l on l.oid = t.trflang
 where t.oid >= 16384
 order by t.oid
