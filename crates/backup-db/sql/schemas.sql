-- Schemas. `public` is there in every new database; those of the system carry only privileges.
select n.oid, n.nspname as name, pg_get_userbyid(n.nspowner) as owner,
       n.nspacl::text[] as acl, acldefault('n', n.nspowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       n.nspname ~ '^pg_' or n.nspname = 'information_schema' as system
  from pg_namespace n
  left join pg_init_privs i on i.objoid = n.oid and i.classoid = 'pg_namespace'::regclass and i.objsubid = 0
 where n.nspname !~ '^pg_(toast|temp_|toast_temp_)'
 order by n.oid
