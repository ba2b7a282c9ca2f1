#!/usr/bin/env bash
# Makes a virtual environment in target/django, with this tree's wheel installed in it, and prints its folder.
#   django-environment.sh [DJANGO-VERSION]      default: 5.2
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin
django=${1:-5.2}
venv=$PWD/target/django/$django

if [ ! -x "$venv/bin/pytest" ]; then
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet "maturin>=1.7,<2" "cffi>=1.16" "django==$django.*" "djangorestframework>=3.15" "drf-spectacular>=0.27" \
        "django-filter>=23.5" "psycopg[binary]>=3.1" "pytest>=8" "pytest-django>=4.8" >&2
fi
# The dev profile: made of what the other tests have compiled already.
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
if ! (cd django && "$venv/bin/maturin" build --profile dev --out "$wheels" >"$wheels/log" 2>&1); then
    cat "$wheels/log" >&2
    exit 1
fi
"$venv/bin/pip" install --quiet --no-deps --force-reinstall "$wheels"/*.whl >&2
echo "$venv"
