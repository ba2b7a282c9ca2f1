-- Event triggers.
select e.oid, e.evtname as name, pg_get_userbyid(e.evtowner) as owner, e.evtevent as event, coalesce(e.evttags, '{}') as tags,
       e.evtenabled as enabled, e.evtfoid::regproc::text as function
  from pg_event_trigger e
 order by e.oid
