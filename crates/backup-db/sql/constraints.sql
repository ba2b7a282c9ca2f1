-- Constraints of tables and domains. Constraint triggers are in triggers.sql, not-null constraints of tables in not_nulls.sql.
select k.oid, k.conname as name, k.contype as kind, k.conrelid as relation, k.contypid as domain,
       pg_get_constraintdef(k.oid) as definition,
       k.conislocal as local, k.convalidated as valid,
       k.conindid as index, k.conparentid as parent,
       case when k.contype in ('p', 'u', 'x') then s.spcname end as tablespace
  from pg_constraint k
  join pg_namespace n on n.oid = k.connamespace
  left join pg_class x on x.oid = k.conindid left join pg_tablespace s on s.oid = x.reltablespace
 where k.contype <> 't'
   and (k.contype <> 'n' or k.contypid <> 0)
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by k.oid
