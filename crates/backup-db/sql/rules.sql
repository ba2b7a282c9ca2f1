-- Rewrite rules, without the ones that make a view a view.
select r.oid, r.rulename as name, r.ev_class as relation, pg_get_ruledef(r.oid) as definition, r.ev_enabled as enabled
  from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and not (r.ev_type = '1' and r.is_instead and c.relkind in ('v', 'm'))
 order by r.oid
