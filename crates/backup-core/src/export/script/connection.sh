# --- which database ---

# Undoes percent-encoding, into $decoded. Only built-in commands, so that a password never stands in the arguments of a process.
decode() {
    decoded=
    rest_=$1
    while :; do
        case $rest_ in
            *%*) ;;
            *)
                decoded=$decoded$rest_
                return 0
                ;;
        esac
        decoded=$decoded${rest_%%"%"*}
        rest_=${rest_#*"%"}
        case $rest_ in
            00*) usage "the URL of the database has a broken percent-encoding" ;;
            [0-9A-Fa-f][0-9A-Fa-f]*) ;;
            *) usage "the URL of the database has a broken percent-encoding" ;;
        esac
        tail_=${rest_#??}
        byte_=$(printf '%b.' "\\0$(printf '%o' "0x${rest_%"$tail_"}")")
        decoded=$decoded${byte_%.}
        rest_=$tail_
    done
}

given=' ' # PG* variables that a better source has set

# One parameter of a URL: NAME VALUE.
parameter() {
    variable_=
    case $1 in
        host) s_host=$2 ;;
        hostaddr) s_hostaddr=$2 ;;
        port) s_port=$2 ;;
        user) s_user=$2 ;;
        password) s_password=$2 ;;
        dbname) s_name=$2 ;;
        passfile) variable_=PGPASSFILE ;;
        service) variable_=PGSERVICE ;;
        sslmode) variable_=PGSSLMODE ;;
        sslrootcert) variable_=PGSSLROOTCERT ;;
        sslcert) variable_=PGSSLCERT ;;
        sslkey) variable_=PGSSLKEY ;;
        sslnegotiation) variable_=PGSSLNEGOTIATION ;;
        gssencmode) variable_=PGGSSENCMODE ;;
        connect_timeout) variable_=PGCONNECT_TIMEOUT ;;
        application_name) variable_=PGAPPNAME ;;
        options) variable_=PGOPTIONS ;;
        channel_binding) variable_=PGCHANNELBINDING ;;
        target_session_attrs) variable_=PGTARGETSESSIONATTRS ;;
        ssl)
            [ "$2" = true ] || usage "the parameter ssl of the database's URL is not supported with the value $2"
            variable_=PGSSLMODE
            set -- sslmode require
            ;;
        # Handling of connections by Django and others: nothing that changes where psql connects to.
        client_encoding | conn_max_age | conn_health_checks | disable_server_side_cursors | atomic_requests | pool | sslcompression | sslsni) ;;
        krbsrvname | gsslib | load_balance_hosts | fallback_application_name | keepalives | keepalives_* | tcp_user_timeout) ;;
        *) usage "the parameter $1 of the database's URL is not supported" ;;
    esac
    if [ -n "$variable_" ] && [ -n "$2" ]; then
        case $given in
            *" $variable_ "*) ;;
            *)
                export "$variable_=$2"
                given="$given$variable_ "
                ;;
        esac
    fi
}

no_source() { s_host='' s_hostaddr='' s_port='' s_user='' s_password='' s_name=''; }

# Takes a URL apart, into s_….
parse_url() {
    no_source
    case $1 in
        *://*) ;;
        *) usage "the database is named by a URL: postgresql://user@host:port/name" ;;
    esac
    scheme_=${1%%://*}
    case ${scheme_%%+*} in
        postgres | postgresql | pgsql | postgis | psql | timescale | timescalegis) ;;
        *) usage "the URL's scheme $scheme_ is not that of a PostgreSQL database" ;;
    esac
    url_=${1#*://}
    url_=${url_%%"#"*}
    query_=
    case $url_ in *"?"*) query_=${url_#*"?"} ;; esac
    url_=${url_%%"?"*}
    path_=
    case $url_ in */*) path_=${url_#*/} ;; esac
    url_=${url_%%/*}
    case $url_ in
        *@*)
            login_=${url_%@*}
            url_=${url_##*@}
            decode "${login_%%:*}"
            s_user=$decoded
            case $login_ in
                *:*)
                    decode "${login_#*:}"
                    s_password=$decoded
                    ;;
            esac
            ;;
    esac
    decode "$path_"
    s_name=$decoded
    hosts_='' ports_='' comma_=''
    while [ -n "$url_" ]; do
        one_=${url_%%,*}
        case $url_ in *,*) url_=${url_#*,} ;; *) url_= ;; esac
        case $one_ in
            "["*"]:"*) port_=${one_##*"]:"} ;;
            "["*"]") port_= ;;
            *:*) port_=${one_##*:} ;;
            *) port_= ;;
        esac
        case $one_ in
            "["*) one_=${one_#"["} one_=${one_%%"]"*} ;;
            *) one_=${one_%%:*} ;;
        esac
        decode "$one_"
        hosts_=$hosts_$comma_$decoded
        ports_=$ports_$comma_$port_
        comma_=,
    done
    s_host=$hosts_
    case $ports_ in *[0-9]*) s_port=$ports_ ;; esac
    while [ -n "$query_" ]; do
        one_=${query_%%"&"*}
        case $query_ in *"&"*) query_=${query_#*"&"} ;; *) query_= ;; esac
        case $one_ in
            *=*) ;;
            '') continue ;;
            *) usage "a parameter of the database's URL has no value" ;;
        esac
        decode "${one_#*=}"
        parameter "${one_%%=*}" "$decoded"
    done
}

# Takes from s_… what better sources left open. A port goes with its host, a password with its user.
merge() {
    if [ -n "$db_user" ] && [ -n "$s_user" ] && [ "$db_user" != "$s_user" ]; then s_password=; fi
    if [ -n "$db_host" ]; then
        s_hostaddr=
        [ "$1" = libpq ] || s_port=
    fi
    db_host=${db_host:-$s_host}
    db_hostaddr=${db_hostaddr:-$s_hostaddr}
    db_port=${db_port:-$s_port}
    db_user=${db_user:-$s_user}
    db_password=${db_password:-$s_password}
    db_name=${db_name:-$s_name}
}

find_database() {
    db_host='' db_hostaddr='' db_port='' db_user='' db_password='' db_name=''
    if [ -n "$url_of_option" ]; then
        parse_url "$url_of_option"
        [ -z "$s_password" ] || complain "the password in --database-url can be seen by every user of this machine; use DB_PASSWORD or ~/.pgpass"
        merge url
    fi
    if [ -n "${DATABASE_URL:-}" ]; then
        parse_url "$DATABASE_URL"
        merge url
    fi
    s_host=${DB_HOST:-} s_hostaddr='' s_port=${DB_PORT:-} s_user=${DB_USER:-} s_password=${DB_PASSWORD:-} s_name=${DB_NAME:-}
    merge django
    s_host=${PGHOST:-} s_hostaddr=${PGHOSTADDR:-} s_port=${PGPORT:-} s_user=${PGUSER:-} s_password=${PGPASSWORD:-} s_name=${PGDATABASE:-}
    merge libpq
    [ -n "$db_name" ] || [ -n "${PGSERVICE:-}" ] || usage "no database is named" \
        "--database-url postgresql://user@host:port/name, or DATABASE_URL, DB_NAME (DB_HOST, DB_USER, DB_PASSWORD), PGDATABASE; --skip-database leaves it out"
    unset DATABASE_URL DB_PASSWORD PGPASSWORD PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE
    [ -z "$db_host" ] || export PGHOST="$db_host"
    [ -z "$db_hostaddr" ] || export PGHOSTADDR="$db_hostaddr"
    [ -z "$db_port" ] || export PGPORT="$db_port"
    [ -z "$db_user" ] || export PGUSER="$db_user"
    [ -z "$db_name" ] || export PGDATABASE="$db_name"
    export PGCLIENTENCODING=UTF8
}

# psql on a script in standard input; the password is in its environment alone.
db() {
    if [ -n "$db_password" ]; then
        PGPASSWORD=$db_password psql -X -q -A -t -w -v ON_ERROR_STOP=1 -f - "$@"
    else
        psql -X -q -A -t -w -v ON_ERROR_STOP=1 -f - "$@"
    fi
}

# A script in standard input, run in a database that is there whatever happens to ours.
maintenance() {
    script_=$(cat)
    for other_ in postgres template1; do
        [ "$other_" != "$db_name" ] || continue
        if printf '%s\n' "$script_" | db -v db="$db_name" -d "$other_" 2>"$work/maintenance.err"; then return 0; fi
    done
    return 1
}

drop_database() {
    maintenance <<'SQL'
DROP DATABASE IF EXISTS :"db";
SQL
}

