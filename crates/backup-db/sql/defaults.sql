-- Column defaults and generation expressions.
select d.oid, d.adrelid as relation, d.adnum as number, pg_get_expr(d.adbin, d.adrelid) as expression
  from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by d.adrelid, d.adnum
