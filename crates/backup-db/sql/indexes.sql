-- Indexes. Invalid ones of plain tables are what a failed CREATE INDEX CONCURRENTLY left behind; they are not kept.
select c.oid, c.relname as name, n.nspname as schema, i.indrelid as "table",
       pg_get_indexdef(c.oid) as definition, coalesce(c.reloptions, '{}') as options,
       i.indisclustered as clustered, i.indisreplident as replica_identity, i.indisvalid as valid, c.relkind as kind,
       s.spcname as tablespace, h.inhparent as parent, tc.relkind as table_kind,
       array(select json_build_object('number', a.attnum, 'target', a.attstattarget) from pg_attribute a
              where a.attrelid = c.oid and a.attstattarget >= 0 order by a.attnum) as statistics,
       (select k.oid from pg_constraint k where k.conindid = c.oid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')) as "constraint"
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class tc on tc.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_inherits h on h.inhrelid = c.oid
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.oid
