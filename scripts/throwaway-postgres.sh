#!/usr/bin/env bash
# A PostgreSQL server for a moment: data, socket and log below one folder, no TCP port, nothing outside.
#   throwaway-postgres.sh start FOLDER    (socket: FOLDER/postgres/socket, superuser: postgres, no password)
#   throwaway-postgres.sh stop FOLDER
set -euo pipefail

action=$1
folder=$2/postgres

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")

# PostgreSQL refuses to run as root: then the server runs as postgres, or as nobody.
run() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups env HOME=/tmp "$@"
    else
        "$@"
    fi
}
server_user=$(id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody)

case $action in
    start)
        mkdir -m 700 "$folder"
        if [ "$(id -u)" -eq 0 ]; then
            chown "$server_user" "$folder"
        fi
        cd "$folder"
        run mkdir -m 700 socket
        run "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 ||
            { cat "$folder/initdb.log" >&2; exit 1; }
        run "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -s \
            -o "-c listen_addresses='' -c unix_socket_directories='$folder/socket' -c fsync=off -c max_wal_size=4GB" start ||
            { cat "$folder/server.log" >&2; exit 1; }
        ;;
    stop)
        cd "$folder"
        [ ! -e data/postmaster.pid ] || run "$bin/pg_ctl" -D "$folder/data" -m immediate -w -s stop
        ;;
    *)
        echo "usage: throwaway-postgres.sh start|stop FOLDER" >&2
        exit 2
        ;;
esac
