-- Operator classes.
select c.oid, c.opcname as name, n.nspname as schema, pg_get_userbyid(c.opcowner) as owner, a.amname as method,
       format_type(c.opcintype, null) as input_type,
       case when c.opckeytype <> 0 then format_type(c.opckeytype, null) end as key_type,
       c.opcdefault as is_default,
       quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) as family_name
  from pg_opclass c
  join pg_namespace n on n.oid = c.opcnamespace
  join pg_am a on a.oid = c.opcmethod
  join pg_opfamily f on f.oid = c.opcfamily join pg_namespace fn on fn.oid = f.opfnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.oid
