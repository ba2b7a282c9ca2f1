-- Text search parsers, templates, dictionaries and configurations.
select 'parser' as kind, p.oid, p.prsname as name, n.nspname as schema, null as owner,
       p.prsstart::regproc::text as start, p.prstoken::regproc::text as token, p.prsend::regproc::text as "end",
       nullif(p.prsheadline, 0)::regproc::text as headline, p.prslextype::regproc::text as lextypes,
       null as init, null as lexize, null as template, null as options, null as parser, null::json as mappings
  from pg_ts_parser p join pg_namespace n on n.oid = p.prsnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'template', t.oid, t.tmplname, n.nspname, null, null, null, null, null, null,
       nullif(t.tmplinit, 0)::regproc::text, t.tmpllexize::regproc::text, null, null, null, null
  from pg_ts_template t join pg_namespace n on n.oid = t.tmplnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'dictionary', d.oid, d.dictname, n.nspname, pg_get_userbyid(d.dictowner), null, null, null, null, null, null, null,
       quote_ident(tn.nspname) || '.' || quote_ident(t.tmplname), d.dictinitoption, null, null
  from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace
  join pg_ts_template t on t.oid = d.dicttemplate join pg_namespace tn on tn.oid = t.tmplnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'configuration', c.oid, c.cfgname, n.nspname, pg_get_userbyid(c.cfgowner), null, null, null, null, null, null, null, null, null,
       quote_ident(pn.nspname) || '.' || quote_ident(p.prsname),
       (select json_agg(json_build_object('token', m.token, 'dictionaries', m.dictionaries) order by m.token) from (
          select (select t.alias from ts_token_type(c.cfgparser) t where t.tokid = m.maptokentype) as token,
                 array_agg(quote_ident(dn.nspname) || '.' || quote_ident(d.dictname) order by m.mapseqno) as dictionaries
            from pg_ts_config_map m join pg_ts_dict d on d.oid = m.mapdict join pg_namespace dn on dn.oid = d.dictnamespace
           where m.mapcfg = c.oid group by m.maptokentype) m)
  from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
  join pg_ts_parser p on p.oid = c.cfgparser join pg_namespace pn on pn.oid = p.prsnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by 2
