-- Row security policies.
select p.oid, p.polname as name, p.polrelid as relation, p.polcmd as command, p.polpermissive as permissive,
       array(select pg_get_userbyid(r) from unnest(p.polroles) r where r <> 0 order by 1) as roles,
       p.polroles = '{0}' as public,
       pg_get_expr(p.polqual, p.polrelid) as "using", pg_get_expr(p.polwithcheck, p.polrelid) as with_check
  from pg_policy p
 order by p.oid
