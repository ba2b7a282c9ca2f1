-- Every replica of this server and how far it is behind; empty without the right to see them.
select coalesce(nullif(application_name, ''), client_addr::text, pid::text) as name,
       coalesce(state, 'unknown') as state,
       pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
                       replay_lsn)::float8 as behind_bytes
  from pg_stat_replication
 order by 1
