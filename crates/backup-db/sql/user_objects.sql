-- Every object that was not there after initdb, whatever it is; temporary ones and TOAST tables apart. The coverage guard holds this
-- list against what is rendered, so it must not share its conditions with the other queries.
with passing as (select n.oid from pg_namespace n where n.nspname ~ '^pg_(toast|temp_|toast_temp_)')
select o.class, o.oid from (
            select 'pg_namespace' as class, oid from pg_namespace where oid not in (select oid from passing)
  union all select 'pg_class', oid from pg_class where relnamespace not in (select oid from passing)
  union all select 'pg_type', oid from pg_type where typnamespace not in (select oid from passing)
  union all select 'pg_proc', oid from pg_proc where pronamespace not in (select oid from passing)
  union all select 'pg_operator', oid from pg_operator where oprnamespace not in (select oid from passing)
  union all select 'pg_opclass', oid from pg_opclass where opcnamespace not in (select oid from passing)
  union all select 'pg_opfamily', oid from pg_opfamily where opfnamespace not in (select oid from passing)
  union all select 'pg_amop', oid from pg_amop
  union all select 'pg_amproc', oid from pg_amproc
  union all select 'pg_am', oid from pg_am
  union all select 'pg_cast', oid from pg_cast
  union all select 'pg_collation', oid from pg_collation where collnamespace not in (select oid from passing)
  union all select 'pg_conversion', oid from pg_conversion where connamespace not in (select oid from passing)
  union all select 'pg_language', oid from pg_language
  union all select 'pg_transform', oid from pg_transform
  union all select 'pg_ts_parser', oid from pg_ts_parser where prsnamespace not in (select oid from passing)
  union all select 'pg_ts_template', oid from pg_ts_template where tmplnamespace not in (select oid from passing)
  union all select 'pg_ts_dict', oid from pg_ts_dict where dictnamespace not in (select oid from passing)
  union all select 'pg_ts_config', oid from pg_ts_config where cfgnamespace not in (select oid from passing)
  union all select 'pg_foreign_data_wrapper', oid from pg_foreign_data_wrapper
  union all select 'pg_foreign_server', oid from pg_foreign_server
  union all select 'pg_user_mapping', umid from pg_user_mappings
  union all select 'pg_extension', oid from pg_extension
  union all select 'pg_event_trigger', oid from pg_event_trigger
  union all select 'pg_publication', oid from pg_publication
  union all select 'pg_publication_rel', oid from pg_publication_rel
  union all select 'pg_publication_namespace', oid from pg_publication_namespace --@ 15..
  union all select 'pg_subscription', oid from pg_subscription
             where subdbid = (select oid from pg_database where datname = current_database())
  union all select 'pg_statistic_ext', oid from pg_statistic_ext where stxnamespace not in (select oid from passing)
  union all select 'pg_default_acl', oid from pg_default_acl
  union all select 'pg_largeobject', oid from pg_largeobject_metadata
  union all select 'pg_policy', p.oid from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace not in (select oid from passing)
  union all select 'pg_rewrite', r.oid from pg_rewrite r join pg_class c on c.oid = r.ev_class where c.relnamespace not in (select oid from passing)
  union all select 'pg_trigger', t.oid from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace not in (select oid from passing)
  union all select 'pg_constraint', oid from pg_constraint where connamespace not in (select oid from passing)
  union all select 'pg_attrdef', d.oid from pg_attrdef d join pg_class c on c.oid = d.adrelid where c.relnamespace not in (select oid from passing)
) o
 where o.oid >= 16384 or o.class = 'pg_largeobject'
 order by 1, 2
