# --- the database ---

# Everything that somebody made in the database, by catalogue, in the order in which it is best dropped. Members of extensions and what other
# objects consist of are left out, and so are default privileges: they are this server's, a package has none.
objects_sql() {
    rank_=0
    for catalogue_ in pg_event_trigger pg_publication pg_class pg_foreign_server pg_foreign_data_wrapper pg_cast pg_transform pg_opclass \
        pg_opfamily pg_operator pg_conversion pg_ts_config pg_ts_dict pg_ts_template pg_ts_parser pg_statistic_ext pg_proc pg_type \
        pg_collation pg_am pg_language pg_extension pg_namespace; do
        condition_=
        case $catalogue_ in
            pg_class) condition_=" AND o.relkind NOT IN ('i', 'I', 't') AND o.relpersistence <> 't'" ;;
            pg_namespace) condition_=" AND o.nspname !~ '^pg_(toast_)?temp_' AND o.nspname <> 'public'" ;;
        esac
        if [ "$rank_" -gt 0 ]; then printf ' UNION ALL '; fi
        printf '%s\n' "SELECT $rank_ AS rank, 'pg_catalog.$catalogue_'::pg_catalog.regclass::oid AS classid, o.oid AS objid FROM pg_catalog.$catalogue_ o WHERE o.oid >= 16384$condition_"
        rank_=$((rank_ + 1))
    done
}

list_sql() {
    cat <<SQL
SELECT o.rank, o.objid, coalesce(pg_catalog.pg_describe_object(o.classid, o.objid, 0), '') AS description, i.type, i.identity
  FROM ($(objects_sql)) o
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i ON true
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
   AND coalesce(i.schema, '') !~ '^pg_(toast_)?temp_'
SQL
}

# Extensions that the package has too, in the same schema: they stay, as only a superuser can make some of them.
shared_extensions_sql() {
    cat <<SQL
SELECT e.oid, pg_catalog.quote_ident(e.extname) AS name, pg_catalog.quote_ident(n.nspname) AS schema, n.nspname, e.extconfig, e.extcondition
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE (e.extname, n.nspname) IN (VALUES ('plpgsql', 'pg_catalog')$extensions)
SQL
}

connect() {
    printf 'SELECT 1;\n' | db >/dev/null 2>"$work/connect.err"
}

# Says "PROBLEM" for each that it finds; returns at once.
problem() {
    complain "$1"
    [ $# -lt 2 ] || printf '%s\n' "$2" >&2
    problems=yes
}

# Looks at the server and the database, changes nothing. Sets $database_state: missing, empty or full.
check_database() {
    for part_ in pre-data.sql post-data.sql load.list; do
        [ -f "$source/database/$part_" ] || fail "the package has no database/$part_" "it is not one that restore.sh can restore; edms-backup may"
    done
    # Every row that the manifest counts is here.
    expected_=$(awk '/^\[/ { here = ($0 == "[[database.tables]]") } here && $1 == "bytes" { sum += $3 } END { printf "%.0f", sum }' "$source/manifest.toml")
    actual_=$(find "$source/database/data" -type f -name '*.copy' -exec ls -ln {} + 2>/dev/null | awk '{ sum += $5 } END { printf "%.0f", sum }')
    [ "$expected_" = "$actual_" ] || fail "the package is not whole: its tables have $actual_ bytes, the manifest says $expected_" "copy or unpack it once more; nothing was changed"

    is_there psql || fail "psql is not installed" \
        "apt-get install postgresql-client (apk add postgresql-client), or copy package and script into the container of the database and run it there"
    if ! connect && [ -z "$db_password" ] && [ -t 0 ] && grep -i 'password' "$work/connect.err" >/dev/null; then
        printf 'Password of the database: ' >&2
        stty -echo
        IFS= read -r db_password || :
        stty echo
        printf '\n' >&2
    fi
    place=${db_host:-this machine}
    if connect; then
        database_state=there
    elif maintenance >"$work/exists" <<'SQL' && ! grep '^1$' "$work/exists" >/dev/null; then
SELECT 1 FROM pg_catalog.pg_database WHERE datname = :'db';
SQL
        database_state=missing
    else
        fail "cannot connect to the database ${db_name:-$PGSERVICE} on $place: $(sed 's/^psql: error: //' "$work/connect.err" | head -n 3)" \
            "is the server up, and are DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD (or --database-url) right? Nothing was changed"
    fi

    extensions=$(sed -n "s/'/''/g; s/^CREATE EXTENSION IF NOT EXISTS \(.*\) WITH SCHEMA \(.*\);\$/\1$tab\2/p" "$source/database/pre-data.sql" |
        awk -F "$tab" 'function plain(name) { if (name ~ /^"/) { name = substr(name, 2, length(name) - 2); gsub(/""/, "\"", name) } return name }
            { printf ", ('"'%s', '%s'"')", plain($1), plain($2) }')
    problems=no
    if [ "$database_state" = missing ]; then
        maintenance >"$work/facts" <<'SQL' || fail "the server does not answer: $(head -n 1 "$work/maintenance.err")"
SELECT 'version ' || pg_catalog.current_setting('server_version_num');
SELECT 'release ' || pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1);
SELECT 'createdb ' || (rolcreatedb OR rolsuper) FROM pg_catalog.pg_roles WHERE rolname = current_user;
SQL
    else
        db >"$work/facts" 2>"$work/facts.err" <<SQL || fail "the server does not answer: $(head -n 1 "$work/facts.err")"
SET search_path = '';
SELECT 'version ' || pg_catalog.current_setting('server_version_num');
SELECT 'release ' || pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1);
SELECT 'encoding ' || pg_catalog.current_setting('server_encoding');
SELECT 'create ' || pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE');
SELECT 'public ' || pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = 'public';
SELECT 'object ' || l.description FROM ($(list_sql)) l
 WHERE NOT (l.type = 'extension' AND l.identity IN (SELECT name FROM ($(shared_extensions_sql)) e))
   AND NOT (l.type = 'schema' AND l.identity IN (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace))
 ORDER BY l.rank, l.objid LIMIT 3;
SELECT 'object ' || count(*) || ' large objects' FROM pg_catalog.pg_largeobject_metadata HAVING count(*) > 0;
SELECT 'schema ' || schema FROM ($(shared_extensions_sql)) e WHERE nspname NOT IN ('public', 'pg_catalog');
SELECT 'home ' || pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE n.nspname NOT IN ('public', 'pg_catalog');
SQL
        database_state=empty
        if grep '^object ' "$work/facts" >/dev/null; then database_state=full; fi
    fi
    fact() { sed -n "s/^$1 //p" "$work/facts"; }

    version_=$(value_of database.server version_num)
    if [ $(($(fact version) / 10000)) -lt $((${version_:-0} / 10000)) ]; then
        problem "the package is from PostgreSQL $((version_ / 10000)), the server is only $(fact release)" "restore into the same or a newer version"
    fi
    encoding=$(value_of database.server encoding)
    case $database_state in
        missing) [ "$(fact createdb)" = true ] || problem "there is no database $db_name, and this user may not create it" \
            "let an administrator run: CREATE DATABASE \"$db_name\" OWNER \"${db_user:-USER}\" TEMPLATE template0 ENCODING '$encoding'" ;;
        *)
            if [ "$(fact encoding)" != "$encoding" ] && { [ "$(fact encoding)" != UTF8 ] || [ "$encoding" = SQL_ASCII ]; }; then
                problem "the database has the encoding $(fact encoding), the package $encoding" \
                    "create it anew: CREATE DATABASE … TEMPLATE template0 ENCODING '$encoding'"
            fi
            if [ "$(fact create)" != true ] && grep -E '^CREATE (SCHEMA|EXTENSION)' "$source/database/pre-data.sql" >/dev/null; then
                problem "this user may not create schemas in the database $db_name" "GRANT CREATE ON DATABASE \"$db_name\" TO the user, or make it the owner"
            fi
            if [ "$(fact public)" = false ] && grep ' public\.' "$source/database/pre-data.sql" >/dev/null; then
                problem "this user may not create anything in the schema public of the database $db_name" \
                    "ALTER DATABASE \"$db_name\" OWNER TO the user, or GRANT CREATE ON SCHEMA public TO it"
            fi
            ;;
    esac
    case $database_state in
        missing) state_='will be created' ;;
        empty) state_='empty' ;;
        full)
            state_='EVERYTHING IN IT WILL BE REPLACED'
            if [ "$force" = no ]; then
                state_='not empty'
                problem "the database $db_name is not empty: $(fact object | tr '\n' ',' | sed 's/,$//; s/,/, /g')" \
                    "restore into an empty one, or replace what is in it with --force"
            fi
            ;;
    esac
    say "database   $db_name on $place, PostgreSQL $(fact release): $state_"
    [ "$problems" = no ] || fail "nothing was changed"

    # Schemas that are there already, because extensions live in them, are not made again.
    if [ "$database_state" = full ]; then fact schema; else fact home; fi |
        sed 's/[][\\.*^$/]/\\&/g; s,.*,s/^CREATE SCHEMA &;$/CREATE SCHEMA IF NOT EXISTS &;/,' >"$work/schemas.sed"
}

create_database() {
    q() { printf "'%s'" "$(value_of database.server "$1" | sed "s/'/''/g")"; }
    locale_="LC_COLLATE $(q collate) LC_CTYPE $(q ctype)"
    case $(value_of database.server provider) in
        icu) locale_="$locale_ LOCALE_PROVIDER icu ICU_LOCALE $(q locale)" ;;
        builtin) locale_="$locale_ LOCALE_PROVIDER builtin BUILTIN_LOCALE $(q locale)" ;;
    esac
    # The other machine's locale may have another name here, or none.
    for clauses_ in "$locale_" ''; do
        if maintenance <<SQL; then
CREATE DATABASE :"db" TEMPLATE template0 ENCODING '$encoding' $clauses_;
SQL
            database_made=yes
            return
        fi
    done
    fail "cannot create the database $db_name: $(head -n 1 "$work/maintenance.err")"
}

# Drops what is in the database, inside the transaction that loads the new content. What is held by something else goes in a later round.
clear_sql() {
    cat <<SQL
SET LOCAL lock_timeout = '30s';
SET LOCAL client_min_messages = error;
DO \$edms_clear\$
DECLARE
    targets text[]; names text[]; reason text; left_before integer; item record; row_ record;
BEGIN
    LOOP
        SELECT pg_catalog.array_agg(CASE l.type WHEN 'foreign-data wrapper' THEN 'foreign data wrapper' WHEN 'statistics object' THEN 'statistics'
                          WHEN 'composite type' THEN 'type' ELSE l.type END || ' ' || l.identity ORDER BY l.rank, l.objid),
               pg_catalog.array_agg(l.description ORDER BY l.rank, l.objid)
          INTO targets, names
          FROM ($(list_sql)) l
         WHERE NOT (l.type = 'extension' AND l.identity IN (SELECT name FROM ($(shared_extensions_sql)) e))
           AND NOT (l.type = 'schema' AND l.identity IN (SELECT schema FROM ($(shared_extensions_sql)) e));
        EXIT WHEN targets IS NULL;
        IF pg_catalog.cardinality(targets) >= left_before THEN
            RAISE EXCEPTION 'cannot drop % (%)', names[1], coalesce(reason, 'no reason given');
        END IF;
        left_before := pg_catalog.cardinality(targets);
        FOR i IN 1 .. left_before LOOP
            BEGIN
                EXECUTE 'DROP ' || targets[i] || ' CASCADE';
            EXCEPTION WHEN OTHERS THEN
                -- Gone with another one already? Then the next round does not see it.
                reason := SQLERRM;
            END;
        END LOOP;
    END LOOP;
    PERFORM pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata;
    -- Rows of extensions' tables that are not the extension's own: the package has them.
    FOR item IN SELECT * FROM ($(shared_extensions_sql)) e WHERE e.extconfig IS NOT NULL LOOP
        FOR row_ IN SELECT u.relation, coalesce(u.condition, '') AS condition
                      FROM pg_catalog.unnest(item.extconfig, item.extcondition) AS u(relation, condition)
                      JOIN pg_catalog.pg_class c ON c.oid = u.relation AND c.relkind = 'r' LOOP
            EXECUTE pg_catalog.format('DELETE FROM ONLY %s %s', row_.relation::pg_catalog.regclass, row_.condition);
        END LOOP;
    END LOOP;
END
\$edms_clear\$;
CREATE SCHEMA IF NOT EXISTS public;
SQL
}

# The whole load as one script for psql. COMMIT is its last statement, and written only when everything before was: should this side break
# off, psql sees an end without it, and the server takes everything back. (psql's own -1 would commit what came until then.)
emit() {
    data_=$source/database/data
    printf '%s\n' 'SET search_path = '"''"';' 'BEGIN;' "SELECT 'transaction ' || pg_catalog.pg_current_xact_id();" '\o /dev/null' || return
    if [ "$database_state" = full ]; then clear_sql || return; fi
    sed -f "$work/schemas.sed" "$source/database/pre-data.sql" || return
    # Functions of indexes and checks may call others without their schema, as they do in the application.
    search_path="SELECT pg_catalog.set_config('search_path', pg_catalog.string_agg(pg_catalog.quote_ident(nspname), ', ' ORDER BY nspname <> 'public', oid), false)
  FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';"
    printf '%s\n' "$search_path" "SET datestyle = ISO; SET intervalstyle = postgres; SET timezone = 'UTC'; SET lc_monetary = 'C'; SET extra_float_digits = 3;" || return
    if [ "$encoding" = SQL_ASCII ]; then printf '%s\n' "SET client_encoding = 'SQL_ASCII';" || return; fi
    while IFS=$tab read -r folder_ copy_; do
        set -- "$data_/$folder_"/*.copy
        [ -e "$1" ] || continue
        printf '%s;\n' "${copy_%;}" || return
        for segment_; do cat "$segment_" || return; done
        printf '%s\n' '\.' || return
    done <"$source/database/load.list"
    printf '%s\n' "SET client_encoding = 'UTF8';" || return
    for object_ in "$source"/database/large-objects/*; do
        [ -d "$object_" ] || continue
        offset_=0
        for piece_ in "$object_"/*; do
            [ -f "$piece_" ] || continue
            printf '%s' "SELECT pg_catalog.lo_put('${object_##*/}', $offset_, '\\x" && od -An -v -tx1 "$piece_" | tr -d ' \n' && printf '%s\n' "');" || return
            offset_=$((offset_ + $(wc -c <"$piece_")))
        done
    done
    sed "1,40s/^SELECT pg_catalog.set_config('search_path', '', false);\$//" "$source/database/post-data.sql" || return
    printf '%s\n' '\o' 'COMMIT;' "SELECT 'committed';"
}

# What became of a transaction whose COMMIT got no answer.
fate() {
    [ -n "$transaction_" ] || return 0
    for attempt_ in 1 2 3 4 5 6 7 8 9 10; do
        if answer_=$(printf '%s\n' "SELECT pg_catalog.pg_xact_status('$transaction_');" | db 2>/dev/null) && [ "$answer_" != 'in progress' ]; then
            printf '%s' "$answer_"
            return
        fi
        [ "$attempt_" = 10 ] || sleep 1
    done
    printf unknown
}

load_database() {
    if [ "$database_state" = missing ]; then create_database; fi
    emit 2>"$work/emit.err" | db >"$work/said" 2>"$work/psql.err"
    sent_=$?
    outcome_=aborted
    transaction_=$(sed -n 's/^transaction \([0-9]*\)$/\1/p' "$work/said")
    if grep '^committed$' "$work/said" >/dev/null; then
        outcome_=committed
    elif [ "$sent_" -eq 2 ]; then
        outcome_=$(fate)
    fi
    case $outcome_ in
        committed) database_made=no ;;
        unknown)
            database_made=no
            fail "the server went away while it committed, and does not answer: whether the database is the old or the new one is not known" \
                "when it is up again: SELECT pg_xact_status('$transaction_'). The files were not touched; when the database is the new one, run the script again with --skip-database"
            ;;
        *)
            sed 's/^psql:<stdin>:[0-9]*: //' "$work/psql.err" | head -n 8 >&2
            if [ "$sent_" -eq 0 ]; then head -n 3 "$work/emit.err" >&2; fi
            fail "the database was not restored; it is as it was before, and so are the files"
            ;;
    esac
    # A matter of speed only.
    printf '%s\n' 'SET client_min_messages = error;' 'ANALYZE;' | db >/dev/null 2>"$work/analyze.err" ||
        complain "the tables were not analysed, queries may be slow for a while: $(head -n 1 "$work/analyze.err")"
    say "loaded     the database $db_name: $(grep -c . "$source/database/load.list") tables"
}

