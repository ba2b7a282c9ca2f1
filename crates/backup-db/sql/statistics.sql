-- Extended statistics.
select s.oid, s.stxname as name, n.nspname as schema, pg_get_userbyid(s.stxowner) as owner, s.stxrelid as relation,
       pg_get_statisticsobjdef(s.oid) as definition, nullif(s.stxstattarget, -1)::int4 as target
  from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by s.oid
