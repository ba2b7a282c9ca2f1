-- Which object needs which. Those of the system on itself are of no interest.
select d.classid::regclass::text as class, d.objid as oid, d.objsubid as sub,
       d.refclassid::regclass::text as needs_class, d.refobjid as needs_oid, d.refobjsubid as needs_sub, d.deptype as kind
  from pg_depend d
 where d.objid >= 16384
    or d.refobjid >= 16384
    or d.deptype = 'e'
 order by 1, 2, 3, 4, 5, 6
