-- Foreign servers.
select s.oid, s.srvname as name, pg_get_userbyid(s.srvowner) as owner,
       s.srvacl::text[] as acl, acldefault('S', s.srvowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       f.fdwname as wrapper, s.srvtype as type, s.srvversion as version,
       array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(s.srvoptions) o
              order by o.option_name) as options
  from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw
  left join pg_init_privs i on i.objoid = s.oid and i.classoid = 'pg_foreign_server'::regclass and i.objsubid = 0
 order by s.oid
