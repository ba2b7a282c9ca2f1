-- Functions and procedures, rendered by the server. Aggregates are in aggregates.sql. Of the system's own only those whose privileges changed.
select p.oid, p.proname as name, n.nspname as schema, pg_get_userbyid(p.proowner) as owner,
       p.proacl::text[] as acl, acldefault('f', p.proowner)::text[] as acl_default, i.initprivs::text[] as acl_initial,
       n.nspname = 'pg_catalog' as system,
       p.prokind as kind, pg_get_function_identity_arguments(p.oid) as arguments,
       case when p.prokind <> 'a' and not (n.nspname = 'pg_catalog') then pg_get_functiondef(p.oid) end as definition,
       (select row_to_json(x) from (
          select a.aggkind as kind, a.aggtransfn::regproc::text as transition,
                 format_type(a.aggtranstype, null) as state_type, a.aggtransspace as state_space,
                 nullif(a.aggfinalfn, 0)::regproc::text as final, a.aggfinalextra as final_extra, a.aggfinalmodify as final_modify,
                 nullif(a.aggcombinefn, 0)::regproc::text as combine,
                 nullif(a.aggserialfn, 0)::regproc::text as serial, nullif(a.aggdeserialfn, 0)::regproc::text as deserial,
                 a.agginitval as initial,
                 nullif(a.aggmtransfn, 0)::regproc::text as moving_transition, nullif(a.aggminvtransfn, 0)::regproc::text as moving_inverse,
                 case when a.aggmtranstype <> 0 then format_type(a.aggmtranstype, null) end as moving_state_type,
                 a.aggmtransspace as moving_state_space,
                 nullif(a.aggmfinalfn, 0)::regproc::text as moving_final, a.aggmfinalextra as moving_final_extra,
                 a.aggmfinalmodify as moving_final_modify, a.aggminitval as moving_initial,
                 (select quote_ident(o_n.nspname) || '.' || o.oprname from pg_operator o join pg_namespace o_n on o_n.oid = o.oprnamespace
                   where o.oid = a.aggsortop) as sort_operator,
                 p.proparallel as parallel,
                 pg_get_function_arguments(p.oid) as arguments
            from pg_aggregate a where a.aggfnoid = p.oid) x) as aggregate
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  left join pg_init_privs i on i.objoid = p.oid and i.classoid = 'pg_proc'::regclass and i.objsubid = 0
 where ((n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or (n.nspname = 'pg_catalog' and p.proacl is distinct from i.initprivs and p.oid < 16384))
   -- the constructors of a range type come with it
   and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
 order by p.oid
