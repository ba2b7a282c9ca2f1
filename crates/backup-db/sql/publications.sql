-- Publications.
select p.oid, p.pubname as name, pg_get_userbyid(p.pubowner) as owner, p.puballtables as all_tables,
       p.pubinsert as insert, p.pubupdate as update, p.pubdelete as delete, p.pubtruncate as truncate, p.pubviaroot as via_root,
       p.pubgencols::text as generated_columns --@ 18..
       'n' as generated_columns --@ ..17
  from pg_publication p
 order by p.oid
