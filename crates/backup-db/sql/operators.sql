-- Operators. One without a function is a shell that another operator named.
select o.oid, o.oprname as name, n.nspname as schema, pg_get_userbyid(o.oprowner) as owner,
       case when o.oprleft <> 0 then format_type(o.oprleft, null) end as left_type,
       case when o.oprright <> 0 then format_type(o.oprright, null) end as right_type,
       nullif(o.oprcode, 0)::regproc::text as function,
       (select quote_ident(cn.nspname) || '.' || c.oprname from pg_operator c join pg_namespace cn on cn.oid = c.oprnamespace
         where c.oid = o.oprcom) as commutator,
       (select quote_ident(nn.nspname) || '.' || g.oprname from pg_operator g join pg_namespace nn on nn.oid = g.oprnamespace
         where g.oid = o.oprnegate) as negator,
       nullif(o.oprrest, 0)::regproc::text as restriction, nullif(o.oprjoin, 0)::regproc::text as "join",
       o.oprcanmerge as merges, o.oprcanhash as hashes
  from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by o.oid
