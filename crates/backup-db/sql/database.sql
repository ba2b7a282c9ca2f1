-- The database itself: its properties and its settings, also per role.
select d.oid, d.datname as name, pg_get_userbyid(d.datdba) as owner,
       d.datacl::text[] as acl, acldefault('d', d.datdba)::text[] as acl_default,
       d.datconnlimit as connection_limit, shobj_description(d.oid, 'pg_database') as comment,
       array(select json_build_object('role', r.rolname, 'settings', s.setconfig) from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
              where s.setdatabase = d.oid order by r.rolname nulls first) as settings
  from pg_database d
 where d.datname = current_database()
