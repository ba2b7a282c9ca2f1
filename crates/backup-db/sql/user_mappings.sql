-- User mappings. Their options are visible to the mapped user and the server's owner only; `hidden` says that they were withheld.
select u.umid as oid, u.usename as name, u.srvname as server, u.umuser = 0 as public,
       u.umoptions is null and has_options.yes as hidden,
       array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(u.umoptions) o
              order by o.option_name) as options
  from pg_user_mappings u,
       lateral (select not (pg_has_role(s.srvowner, 'USAGE') or u.umuser = (select r.oid from pg_roles r where r.rolname = current_user)
                            or (select r.rolsuper from pg_roles r where r.rolname = current_user)) as yes
                  from pg_foreign_server s where s.oid = u.srvid) has_options
 order by u.srvname, u.usename
