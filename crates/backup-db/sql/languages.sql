-- Procedural languages.
select l.oid, l.lanname as name, pg_get_userbyid(l.lanowner) as owner,
       l.lanacl::text[] as acl, acldefault('l', l.lanowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       l.oid < 16384 as system, l.lanpltrusted as trusted,
       nullif(l.lanplcallfoid, 0)::regproc::text as handler, nullif(l.laninline, 0)::regproc::text as inline,
       nullif(l.lanvalidator, 0)::regproc::text as validator
  from pg_language l
  left join pg_init_privs i on i.objoid = l.oid and i.classoid = 'pg_language'::regclass and i.objsubid = 0
 where l.lanispl
 order by l.oid
