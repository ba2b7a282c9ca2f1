-- Access methods that users made.
select a.oid, a.amname as name, a.amtype as kind, a.amhandler::regproc::text as handler
  from pg_am a
 where a.oid >= 16384
 order by a.oid
