-- As collations.sql, for PostgreSQL 14, which keeps no version of the database.
select 'collation ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname) as name, c.collversion as built_with,
       pg_collation_actual_version(c.oid) as now
  from pg_collation c
  join pg_namespace n on n.oid = c.collnamespace
 where c.collversion is not null
   and c.collencoding in (-1, (select encoding from pg_database where datname = current_database()))
   and c.collversion is distinct from pg_collation_actual_version(c.oid)
 order by 1
 limit 20
