#!/usr/bin/env bash
# Prints the folder that holds cargo-deny. Builds it once, below target/tools, when it is not installed (about a minute).
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2

if installed=$(command -v cargo-deny); then
    dirname "$installed"
    exit
fi
tools=$PWD/target/tools
if [ ! -x "$tools/bin/cargo-deny" ]; then
    echo "building cargo-deny $version into target/tools" >&2
    cargo install --quiet --locked --debug --no-default-features --root "$tools" "cargo-deny@$version" >&2
fi
echo "$tools/bin"
