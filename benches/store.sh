#!/usr/bin/env bash
# Builds the release binary, makes the store once (EDMS_BENCH_DIR, default /var/tmp/edms-bench: 2 GiB) and measures.
# Options go to store.py, such as --rounds 3.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin

store=${EDMS_BENCH_DIR:-/var/tmp/edms-bench}/store
if [ ! -e "$store.complete" ]; then
    echo "making a store of 2 GiB in $store (half a minute)" >&2
    rm -rf "$store"
    mkdir -p "$store"
    python3 benches/make_store.py "$store"
    touch "$store.complete"
fi
cargo build --release --locked --quiet -p backup-cli
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
out=$(mktemp -u /dev/shm/edms-bench.XXXXXX)
exec python3 benches/store.py --binary "$target/release/edms-backup" --store "$store" --out "$out" "$@"
