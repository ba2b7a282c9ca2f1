#!/usr/bin/env bash
# The database engine against PostgreSQL's own regression database, and from and to every version that it knows.
#
#   test-oracle.sh [FOLDER [TEST...]]     TEST: schema_regression, schema_versions, by default both. FOLDER holds pg-regress.sh and pg-versions.sh, which make the servers [default: ../shared/tools]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin
tools=${1:-../shared/tools}
read -ra tests <<<"${*:2}"
[ ${#tests[@]} -gt 0 ] || tests=(schema_regression schema_versions)

if [ ! -x "$tools/pg-regress.sh" ] || [ ! -x "$tools/pg-versions.sh" ]; then
    echo "NOT RUN: the oracle tests need pg-regress.sh and pg-versions.sh, which are not in $tools" >&2
    exit 1
fi
step() { printf '\n\033[1m== %s\033[0m (%d s)\n' "$*" "$SECONDS"; }

step "servers of all versions"
TEST_PG_CLIENTS=$("$tools/pg-versions.sh" --clients | tail -1)
export TEST_PG_CLIENTS
for major in 14 15 16 17 18; do
    if [ ! -x "/usr/lib/postgresql/$major/bin/initdb" ]; then
        "$tools/pg-versions.sh" "$major" >/dev/null
        bin=$(. "/tmp/pg-versions/$major/env" && echo "$PG_HOME/bin")
        "$tools/pg-versions.sh" --stop "/tmp/pg-versions/$major"
        export "TEST_PG_BIN_$major=$bin"
    fi
done

step "the regression database"
TEST_REGRESSION_URL=$("$tools/pg-regress.sh" | tail -1)
export TEST_REGRESSION_URL
trap '"$tools/pg-regress.sh" --stop' EXIT

step "tests"
cargo test -p backup-db --features oracle --locked "${tests[@]/#/--test=}"
step "the oracles agree"
