-- Foreign data wrappers.
select f.oid, f.fdwname as name, pg_get_userbyid(f.fdwowner) as owner,
       f.fdwacl::text[] as acl, acldefault('F', f.fdwowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       nullif(f.fdwhandler, 0)::regproc::text as handler, nullif(f.fdwvalidator, 0)::regproc::text as validator,
       array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(f.fdwoptions) o
              order by o.option_name) as options
  from pg_foreign_data_wrapper f
  left join pg_init_privs i on i.objoid = f.oid and i.classoid = 'pg_foreign_data_wrapper'::regclass and i.objsubid = 0
 order by f.oid
