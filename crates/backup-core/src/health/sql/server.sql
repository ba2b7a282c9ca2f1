-- One row: what the server and our connection are.
select current_setting('server_version_num')::int as version_num,
       pg_database_size(current_database()) as size_bytes,
       current_setting('max_connections')::int as max_connections,
       -- Background workers of the server have no backend of a client.
       (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
       -- NULL for the transactions of others, unless we may see them (pg_read_all_stats).
       (select extract(epoch from max(clock_timestamp() - xact_start))::float8
          from pg_stat_activity
         where pid <> pg_backend_pid() and backend_type = 'client backend') as longest_transaction_seconds,
       (select count(*) from pg_stat_activity
         where backend_type = 'client backend' and state is null) as hidden_connections,
       (select max(greatest(age(datfrozenxid)::float8, mxid_age(datminmxid)::float8)) from pg_database) as oldest_age,
       pg_is_in_recovery() as in_recovery,
       (select rolsuper from pg_roles where rolname = current_user) as superuser,
       inet_server_addr() is null as is_local,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as is_tls
