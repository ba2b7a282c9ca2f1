-- Comments.
select d.classoid::regclass::text as class, d.objoid as oid, d.objsubid as sub, d.description as text
  from pg_description d
 where d.objoid >= 16384 or d.classoid in ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
 order by 1, 2, 3
