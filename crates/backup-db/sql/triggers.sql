-- Triggers that users made; `parent` names the trigger of the partitioned table that this one is a copy of.
select t.oid, t.tgname as name, t.tgrelid as relation, pg_get_triggerdef(t.oid, false) as definition,
       t.tgenabled as enabled, t.tgparentid as parent
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_trigger p on p.oid = t.tgparentid
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and (not t.tgisinternal or t.tgparentid <> 0)
   and (t.tgparentid = 0 or not t.tgisinternal or t.tgenabled <> p.tgenabled)
   and not (t.tgisinternal and t.tgconstraint <> 0 and exists (select from pg_constraint k where k.oid = t.tgconstraint and k.contype = 'f'))
 order by t.oid
