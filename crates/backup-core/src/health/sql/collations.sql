-- Collations whose rules changed under the indexes that were built with them. Since PostgreSQL 15 the database has a version of its own.
select 'database ' || quote_ident(datname) as name, datcollversion as built_with,
       pg_database_collation_actual_version(oid) as now
  from pg_database
 where datname = current_database()
   and datcollversion is distinct from pg_database_collation_actual_version(oid)
   and datcollversion is not null
union all
select 'collation ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname), c.collversion,
       pg_collation_actual_version(c.oid)
  from pg_collation c
  join pg_namespace n on n.oid = c.collnamespace
 where c.collversion is not null
   and c.collencoding in (-1, (select encoding from pg_database where datname = current_database()))
   and c.collversion is distinct from pg_collation_actual_version(c.oid)
 order by 1
 limit 20
