-- Columns that are not dropped, in their order within the row.
select a.attrelid as relation, a.attnum as number, a.attname as name,
       format_type(a.atttypid, a.atttypmod) as type,
       a.attnotnull as not_null, a.attidentity as identity, a.attgenerated as generated,
       a.attislocal as local, a.attinhcount as inherited,
       case when a.attcollation <> t.typcollation then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end as collation,
       nullif(a.attstattarget, -1)::int4 as statistics,
       a.attstorage as storage, t.typstorage as type_storage, a.attcompression as compression,
       coalesce(a.attoptions, '{}') as options,
       array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(a.attfdwoptions) o
              order by o.option_name) as foreign_options,
       a.attacl::text[] as acl, i.initprivs::text[] as acl_initial, acldefault('c', c.relowner)::text[] as acl_default
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
  left join pg_collation co on co.oid = a.attcollation
  left join pg_namespace cn on cn.oid = co.collnamespace
  left join pg_init_privs i on i.objoid = a.attrelid and i.classoid = 'pg_class'::regclass and i.objsubid = a.attnum
 where c.relkind in ('r', 'p', 'f', 'v', 'm', 'c') and not a.attisdropped
   and ((a.attnum > 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or (n.nspname = 'pg_catalog' and a.attacl is distinct from i.initprivs))
 order by a.attrelid, a.attnum
