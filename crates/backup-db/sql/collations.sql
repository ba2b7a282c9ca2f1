-- Collations.
select c.oid, c.collname as name, n.nspname as schema, pg_get_userbyid(c.collowner) as owner,
       c.collprovider as provider, c.collisdeterministic as deterministic, c.collcollate as collate, c.collctype as ctype,
       c.colllocale as locale, --@ 17..
       c.colliculocale as locale, --@ 15..16
       null::text as locale, --@ ..14
       c.collicurules as rules --@ 16..
       null::text as rules --@ ..15
  from pg_collation c join pg_namespace n on n.oid = c.collnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.oid
