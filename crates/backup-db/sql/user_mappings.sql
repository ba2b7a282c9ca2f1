-- User mappings. Their options are shown to superusers, to the mapped user, and of a mapping for everybody to the server's owner; `hidden`
-- says that they may have been withheld.
select u.umid as oid, u.usename as name, u.srvname as server, u.umuser = 0 as public,
       u.umoptions is null
         and not r.rolsuper
         and not (u.umuser = r.oid and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE')))
         and not (u.umuser = 0 and pg_has_role(s.srvowner, 'USAGE')) as hidden,
       array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(u.umoptions) o
              order by o.option_name) as options
  from pg_user_mappings u
  join pg_foreign_server s on s.oid = u.srvid
  join pg_roles r on r.rolname = current_user
 order by u.srvname, u.usename
