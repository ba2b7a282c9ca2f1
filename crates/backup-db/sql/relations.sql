-- Tables, partitioned and foreign tables, views, materialized views, sequences and composite types.
select c.oid, c.relname as name, n.nspname as schema, pg_get_userbyid(c.relowner) as owner,
       c.relacl::text[] as acl,
       acldefault(case when c.relkind = 'S' then 's' else 'r' end::"char", c.relowner)::text[] as acl_default,
       i.initprivs::text[] as acl_initial,
       n.nspname = 'pg_catalog' as system,
       c.relkind as kind, c.relpersistence as persistence, c.reltype as row_type, t.typarray as row_array_type,
       case when c.reloftype <> 0 then format_type(c.reloftype, null) end as of_type,
       coalesce(c.reloptions, '{}') as options, coalesce(tc.reloptions, '{}') as toast_options,
       s.spcname as tablespace, a.amname as access_method,
       c.relreplident as replica_identity, c.relrowsecurity as row_security, c.relforcerowsecurity as force_row_security,
       c.relispartition as partition, pg_get_expr(c.relpartbound, c.oid) as partition_bound,
       case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_key,
       array(select h.inhparent::int8 from pg_inherits h where h.inhrelid = c.oid order by h.inhseqno) as parents,
       case when c.relkind in ('v', 'm') and not (n.nspname = 'pg_catalog') then pg_get_viewdef(c.oid) end as definition,
       c.relispopulated as populated,
       (select row_to_json(x) from (
          select fs.srvname as server,
                 array(select json_build_object('name', o.option_name, 'value', o.option_value) from pg_options_to_table(ft.ftoptions) o
                        order by o.option_name) as options
            from pg_foreign_table ft join pg_foreign_server fs on fs.oid = ft.ftserver where ft.ftrelid = c.oid) x) as "foreign",
       (select row_to_json(x) from (
          select format_type(q.seqtypid, null) as type, q.seqstart::text as start, q.seqincrement::text as increment,
                 q.seqmin::text as minimum, q.seqmax::text as maximum, q.seqcache::text as cache, q.seqcycle as cycle,
                 d.refobjid as owner_table, oc.attname as owner_column, d.deptype as ownership, oc.attidentity as identity
            from pg_sequence q
            left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = q.seqrelid and d.objsubid = 0
                                 and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
            left join pg_attribute oc on oc.attrelid = d.refobjid and oc.attnum = d.refobjsubid
           where q.seqrelid = c.oid) x) as sequence
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class tc on tc.oid = c.reltoastrelid and c.relkind <> 'p'
  left join pg_type t on t.oid = c.reltype
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_am a on a.oid = c.relam
  left join pg_init_privs i on i.objoid = c.oid and i.classoid = 'pg_class'::regclass and i.objsubid = 0
 where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c')
   and ((n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or (n.nspname = 'pg_catalog' and c.oid < 16384 and (c.relacl is distinct from i.initprivs
            or exists (select from pg_attribute x left join pg_init_privs xi on xi.objoid = c.oid and xi.classoid = 'pg_class'::regclass and xi.objsubid = x.attnum
                        where x.attrelid = c.oid and x.attacl is distinct from xi.initprivs))))
 order by c.oid
