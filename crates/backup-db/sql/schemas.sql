-- Schemas. `public` is there in every new database; pg_catalog carries only privileges.
select n.oid, n.nspname as name, pg_get_userbyid(n.nspowner) as owner,
       n.nspacl::text[] as acl, acldefault('n', n.nspowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       n.nspname = 'pg_catalog' as system
  from pg_namespace n
  left join pg_init_privs i on i.objoid = n.oid and i.classoid = 'pg_namespace'::regclass and i.objsubid = 0
 where n.nspname = 'pg_catalog' or (n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
 order by n.oid
