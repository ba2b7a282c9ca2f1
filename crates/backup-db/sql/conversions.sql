-- Encoding conversions.
select c.oid, c.conname as name, n.nspname as schema, pg_get_userbyid(c.conowner) as owner,
       pg_encoding_to_char(c.conforencoding) as source, pg_encoding_to_char(c.contoencoding) as target,
       c.conproc::regproc::text as function, c.condefault as is_default
  from pg_conversion c join pg_namespace n on n.oid = c.connamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.oid
