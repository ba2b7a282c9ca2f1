#!/usr/bin/env bash
# Builds the release binary and measures an incremental backup in which nothing has changed. Options go to incremental.py, such as --files 1000000.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin

cargo build --release --locked --quiet -p backup-cli
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
work=$(mktemp -u /dev/shm/edms-bench.XXXXXX)
exec python3 benches/incremental.py --binary "$target/release/edms-backup" --work "$work" "$@"
