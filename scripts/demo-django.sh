#!/usr/bin/env bash
# The sample EDMS on http://127.0.0.1:8000 (PORT): its own PostgreSQL server, sample data, a first backup. Ctrl-C ends it and leaves nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=$PWD/scripts
port=${PORT:-8000}

"$scripts/install-tools.sh" postgresql python3
echo "building the wheel (a few minutes the first time)"
venv=$("$scripts/django-environment.sh")

work=$(mktemp -d /tmp/edms-demo-django.XXXXXX)
chmod 711 "$work" # the server may run as another user
server=
clean() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    "$scripts/throwaway-postgres.sh" stop "$work" || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

"$scripts/throwaway-postgres.sh" start "$work"
export DB_HOST=$work/postgres/socket DB_USER=postgres DB_NAME=edms STORAGE_ROOT=$work/storage BACKUP_ROOT=$work/backups DEBUG=true
psql -h "$DB_HOST" -U postgres -q -d postgres -c 'CREATE DATABASE edms'
cd examples/edms
manage() { "$venv/bin/python" manage.py "$@"; }
manage migrate --verbosity 0
manage load_sample
manage backup_scheduler --create-config
manage create_backup --type full --schedule
if [ -n "${ONCE:-}" ]; then # for tests: everything but the web server
    exit
fi
echo
echo "http://127.0.0.1:$port/admin/   user admin, password admin; API below http://127.0.0.1:$port/api/v1/backup/. Ctrl-C ends it."
"$venv/bin/python" manage.py runserver --noreload "127.0.0.1:$port" &
server=$!
wait "$server"
