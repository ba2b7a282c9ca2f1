-- Subscriptions of this database; readable by superusers only.
select s.oid, s.subname as name, pg_get_userbyid(s.subowner) as owner, s.subconninfo as connection, s.subslotname as slot,
       s.subsynccommit as synchronous_commit, s.subpublications as publications, s.subbinary as "binary", s.substream::text as streaming,
       s.subtwophasestate as two_phase, s.subdisableonerr as disable_on_error, --@ 15..
       'd' as two_phase, false as disable_on_error, --@ ..14
       s.suborigin as origin, s.subpasswordrequired as password_required, s.subrunasowner as run_as_owner, --@ 16..
       'any' as origin, true as password_required, false as run_as_owner, --@ ..15
       s.subfailover as failover --@ 17..
       false as failover --@ ..16
  from pg_subscription s
 where s.subdbid = (select oid from pg_database where datname = current_database())
 order by s.oid
