#!/usr/bin/env bash
# The main job in one go: back up a small EDMS, verify, restore it elsewhere, compare. Everything happens in one
# temporary folder with a PostgreSQL server of its own; both are gone at the end. `KEEP=1` keeps the folder.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=$PWD/scripts
PATH=$PATH:$HOME/.cargo/bin

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { # prints a command as a person would type it, then runs it
    printf '  $ %s\n' "$*"
    "$@" 2>&1 | sed 's/^/    /'
}

say "1. What is missing is installed"
"$scripts/install-tools.sh" cc postgresql
if ! command -v cargo >/dev/null; then
    echo "cargo is not installed: see https://rustup.rs" >&2
    exit 1
fi
echo "  cargo, a C compiler and PostgreSQL are there"

say "2. Build (the first time one to three minutes)"
cargo build --locked -p backup-cli -p sample-edms
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
PATH=$target/debug:$PATH

work=$(mktemp -d /tmp/edms-demo.XXXXXX)
chmod 711 "$work" # the server may run as another user
clean() {
    "$scripts/throwaway-postgres.sh" stop "$work" || true
    if [ -z "${KEEP:-}" ]; then rm -rf "$work"; else echo "kept: $work"; fi
}
trap clean EXIT
trap 'exit 130' INT TERM

say "3. A throwaway server and a sample EDMS"
"$scripts/throwaway-postgres.sh" start "$work"
export PGHOST=$work/postgres/socket PGUSER=postgres
sample-edms "$work/storage" "$work/load.sql" | sed 's/^/  /'
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }
psql -d postgres -c 'CREATE DATABASE sample'
psql -d sample -f "$work/load.sql"
psql -d sample -At -c "SELECT format('  %s tables, %s documents, %s audit rows', (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace), (SELECT count(*) FROM documents), (SELECT count(*) FROM audit_trail))"

cat >"$work/edms-backup.toml" <<CONFIG
[repository]
path = "$work/backups"
[database]
host = "$PGHOST"
user = "postgres"
name = "sample"
[files]
documents = "$work/storage/documents"
media = "$work/storage/media"
CONFIG

say "4. Back up, list, verify"
cd "$work"
show edms-backup create full
show edms-backup list
backup=$(edms-backup list --json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
show edms-backup verify "$backup"

say "5. Restore into a second database and folder"
show edms-backup restore "$backup" --database-url "postgresql:///restored?host=$PGHOST&user=postgres" --target restored --force

say "6. Compare"
# Row order may differ in a restored table, so the two dumps are compared as sorted lines.
dump() { pg_dump -d "$1" | grep -Ev '^\\(un)?restrict ' | sort; }
describe() { (cd "$1" && find documents media -printf '%p %y %m %U %G %s %T@ %l\n' | sort); }
same() { # same WHAT COMMAND ONE OTHER
    "$2" "$3" >one.txt
    "$2" "$4" >other.txt
    if ! diff one.txt other.txt >difference.txt; then
        echo "  DIFFERENT: $1"
        head -n 20 difference.txt
        exit 1
    fi
    echo "  equal: $1, $(wc -l <one.txt) lines"
}
same "pg_dump of both databases" dump sample restored
same "names, types, modes, owners, times and link targets of all files and folders" describe storage restored
diff -r --no-dereference storage restored
echo "  equal: contents of all files"

say "Done in $SECONDS s: backed up, verified, restored and compared. The server is stopped and $work removed."
