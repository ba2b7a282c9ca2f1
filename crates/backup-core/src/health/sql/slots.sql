-- Every replication slot, whether somebody uses it, and how much of the log it holds back.
select slot_name, active,
       pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
                       restart_lsn)::float8 as held_back_bytes
  from pg_replication_slots
 order by 1
