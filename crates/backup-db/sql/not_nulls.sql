-- Not-null constraints as objects of their own.
select k.oid, k.conrelid as relation, k.conkey[1]::int4 as number, k.conname as name,
       k.conislocal as local, k.connoinherit as no_inherit, k.convalidated as valid
  from pg_constraint k join pg_namespace n on n.oid = k.connamespace
 where k.contype = 'n' and k.conrelid <> 0
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by k.conrelid, k.conkey[1]
