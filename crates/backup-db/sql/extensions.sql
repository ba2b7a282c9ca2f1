-- Extensions. The ones that initdb installs have a low oid.
select e.oid, e.extname as name, n.nspname as target_schema, pg_get_userbyid(e.extowner) as owner,
       e.oid < 16384 as system,
       (select a.comment from pg_available_extensions a where a.name = e.extname) as default_comment
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
 order by e.oid
