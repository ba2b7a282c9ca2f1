#!/usr/bin/env bash
# Installs what the tests need and runs every check. `scripts/test.sh FILTER` runs only the tests whose name has FILTER.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin
filter=${1:-}

step() { printf '\n\033[1m== %s\033[0m (%d s)\n' "$*" "$SECONDS"; }

step "tools"
scripts/install-tools.sh cc postgresql zstd bsdtar busybox dash shellcheck python3 openssl age minisign strace valgrind

tests() {
    if command -v cargo-nextest >/dev/null; then
        cargo nextest run --workspace --locked --no-tests=pass ${filter:+"$filter"} "$@"
    else
        cargo test --workspace --all-targets --locked --quiet "$@" -- ${filter:+"$filter"}
    fi
}

if [ -n "$filter" ]; then
    step "tests: $filter"
    tests
    exit
fi

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --features backup-db/oracle --locked --quiet -- -D warnings

step "dependencies"
PATH=$(scripts/install-cargo-deny.sh):$PATH
cargo deny --log-level error --locked check bans licenses sources
if timeout 60 cargo deny --log-level off --locked fetch db >/dev/null 2>&1; then
    cargo deny --log-level error --locked check --disable-fetch advisories
else
    echo "the advisory database cannot be reached: only the floors in deny.toml were checked"
fi

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
cargo test --workspace --doc --locked --quiet >/dev/null

step "tests"
tests

step "Python and Django"
scripts/test-django.sh

echo "NOT RUN here: make test-oracle (PostgreSQL's regression database, servers of all versions)"
step "all checks passed"
