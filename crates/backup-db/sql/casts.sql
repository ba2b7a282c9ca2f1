-- Casts that users made; the one of a range to its multirange comes with the range.
select c.oid, format_type(c.castsource, null) || ' AS ' || format_type(c.casttarget, null) as name,
       nullif(c.castfunc, 0)::regprocedure::text as function, c.castcontext as context, c.castmethod as method
  from pg_cast c
 where c.oid >= 16384
   and not exists (select from pg_depend d where d.classid = 'pg_cast'::regclass and d.objid = c.oid and d.deptype = 'i')
 order by c.oid
