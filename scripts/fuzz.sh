#!/usr/bin/env bash
# Feeds random bytes to the reader of archives. `scripts/fuzz.sh [SECONDS]`: for each of the two targets, 300 by default.
# The stable compiler serves: cargo-fuzz needs a nightly one only for the options that RUSTC_BOOTSTRAP allows.
set -euo pipefail
cd "$(dirname "$0")/../crates/backup-archive"
PATH=$PATH:$HOME/.cargo/bin
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz

# Real archives to start from: random bytes alone hardly ever begin with one.
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
mkdir -p "$store/files/folder" fuzz/corpus/read
printf 'short\n' >"$store/files/folder/short"
head -c 3000 /dev/urandom >"$store/files/random"
yes text | head -c 20000 >"$store/files/text" || true
ln -s short "$store/files/folder/link"
ln "$store/files/random" "$store/files/twin"
for compression in gzip zstd none; do
    cargo run --quiet --locked -p backup-cli -- create files --quiet --no-verify --no-sha256 \
        --compression "$compression" --files "files=$store/files" --output "$store/$compression" >/dev/null
    mv "$store/$compression" "fuzz/corpus/read/$compression"
done
tar -C "$store/files" -c . >fuzz/corpus/read/tar
gzip <fuzz/corpus/read/tar >fuzz/corpus/read/tar-gz

export RUSTC_BOOTSTRAP=1
for target in read damage; do
    cargo fuzz run "$target" -- -max_total_time="${1:-300}" -max_len=65536 -rss_limit_mb=1024 -timeout=20
done
