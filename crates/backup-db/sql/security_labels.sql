-- Security labels.
select l.classoid::regclass::text as class, l.objoid as oid, l.objsubid as sub, l.provider, l.label as text
  from pg_seclabel l
 order by 1, 2, 3, 4
