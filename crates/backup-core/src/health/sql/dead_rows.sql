-- The tables with the most dead rows, and when they were last vacuumed, by hand or by the server.
select schemaname, relname, n_live_tup, n_dead_tup,
       extract(epoch from clock_timestamp() - greatest(last_vacuum, last_autovacuum))::float8 as vacuum_age_seconds
  from pg_stat_user_tables
 where n_dead_tup > 0
 order by n_dead_tup desc, schemaname, relname
 limit 20
