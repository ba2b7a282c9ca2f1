-- Default privileges. `acl_default` is what a new object would get without them.
select d.oid, pg_get_userbyid(d.defaclrole) as owner, n.nspname as in_schema, d.defaclobjtype as kind, d.defaclacl::text[] as acl,
       case when d.defaclnamespace = 0
            then acldefault(case when d.defaclobjtype = 'S' then 's' else d.defaclobjtype end::"char", d.defaclrole)::text[]
            else '{}' end as acl_default
  from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
 order by d.oid
