#!/bin/sh
# Restores the package that this script came in: the database and the files of an EDMS.
# Needs tar, gzip, psql and the tools that every POSIX system has. Where `edms-backup` is installed, it does the work.
# `sh restore.sh --help` says how to use it; README.txt, beside it in the package, has the same steps by hand.

set -u
umask_before=$(umask)
umask 077
LC_ALL=C
export LC_ALL
# Not inherited, and never exported: only psql gets the password.
unset db_password s_password url_of_option

help() {
    cat <<'HELP'
usage: sh restore.sh [OPTIONS] [PACKAGE]

Restores database and files of an EDMS from PACKAGE (the .tar.gz, or the folder it was unpacked into). Without PACKAGE, from the folder
that this script stands in. Asks before it changes anything. When it fails, everything is as it was.

  --database-url URL   the database, postgresql://user@host:port/name. Instead of it: DATABASE_URL, DB_HOST DB_PORT DB_NAME DB_USER
                       DB_PASSWORD, or the PG* variables of PostgreSQL. Put a password into the environment or into ~/.pgpass
  --files NAME=DIR     where the files of the root NAME belong. Once for each root of the package
  --skip-database      leave the database as it is
  --skip-files         leave the files as they are
  --force              ask nothing, and replace a database that is not empty
  --dry-run            check everything, say what would be done, change nothing
  -h, --help           this text

What is in the folders of the files is kept beside the new files, in .edms-previous-TIME. With EDMS_NO_BINARY=1 in the environment, the work is
done by this script alone even where edms-backup is installed. TMPDIR names a place with room for the unpacked database.

Exit codes: 0 restored, 1 failed, 2 wrong usage. From edms-backup also 3: restored in part.
HELP
}

say() { printf '%s\n' "$@"; }
complain() { printf 'restore.sh: %s\n' "$*" >&2; }

# fail WHAT [WAY OUT]
fail() {
    complain "$1"
    [ $# -lt 2 ] || printf '%s\n' "$2" >&2
    exit 1
}

usage() {
    complain "$1"
    [ $# -lt 2 ] || printf '%s\n' "$2" >&2
    exit 2
}

is_there() { command -v "$1" >/dev/null 2>&1; }

tab=$(printf '\t')
newline='
'
stamp=$(date -u +%Y%m%dT%H%M%SZ)-$$

