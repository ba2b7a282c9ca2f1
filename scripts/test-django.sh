#!/usr/bin/env bash
# The tests of the Python package and the Django application, against the installed wheel.
#   test-django.sh [pytest arguments]      DJANGO=4.2 for another version of Django
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/django-environment.sh "${DJANGO:-5.2}")
cd django
"$venv/bin/python" -c 'import edms_backup, sys; assert edms_backup.__file__.startswith(sys.prefix), "not the installed wheel"'
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider "$@"
