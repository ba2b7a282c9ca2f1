-- Operator families.
select f.oid, f.opfname as name, n.nspname as schema, pg_get_userbyid(f.opfowner) as owner, a.amname as method
  from pg_opfamily f join pg_namespace n on n.oid = f.opfnamespace join pg_am a on a.oid = f.opfmethod
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by f.oid
