-- Large objects, without their content.
select l.oid, l.oid::text as name, pg_get_userbyid(l.lomowner) as owner,
       l.lomacl::text[] as acl, acldefault('L', l.lomowner)::text[] as acl_default, i.initprivs::text[] as acl_initial
  from pg_largeobject_metadata l
  left join pg_init_privs i on i.objoid = l.oid and i.classoid = 'pg_largeobject'::regclass and i.objsubid = 0
 order by l.oid
