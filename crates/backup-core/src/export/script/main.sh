# --- the whole ---

confirm() {
    [ "$force" = no ] || return 0
    printf 'Type yes to go on: ' >&2
    answer_=
    read -r answer_ || [ -n "$answer_" ] || usage "there is nobody to answer" "--force goes on without asking"
    [ "$answer_" = yes ] || fail "stopped; nothing was changed"
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

what_next() {
    say '' 'What to do next:'
    if [ "$with_database" = yes ]; then
        say '  1. Start the application with the keys that README.txt names (SECRET_KEY and others do not travel in a package).'
        say '  2. python manage.py migrate        when the application is newer than the package'
        say '  3. python manage.py check --deploy'
        say '  4. No password of the package works: python manage.py changepassword USER, or "forgot password" for everybody.'
    fi
    if [ -d "$package" ]; then
        [ ! -d "$package/config" ] || say "  Configuration files, with their secrets taken out, are in $package/config: compare them with yours."
    elif grep '^config/' "$work/names" >/dev/null; then
        say "  Configuration files, with their secrets taken out: tar -x${zip}f $(quoted "$package") config"
    fi
    while IFS=$tab read -r name_ folder_ origin_; do
        if [ -z "$name_" ] || [ ! -d "$folder_/.edms-previous-$stamp" ]; then continue; fi
        say "  The old files of $name_ are in $folder_/.edms-previous-$stamp: delete the folder when nobody misses them. To get them back:"
        say "    cd $(quoted "$folder_") && mkdir .edms-previous-aside-$stamp &&"
        say "    find . ! -name . -prune ! -name '.edms-*' -exec mv {} .edms-previous-aside-$stamp/ ';' &&"
        say "    cd .edms-previous-$stamp && find . ! -name . -prune -exec mv {} .. ';'"
    done <<ROOTS
$staged
ROOTS
}

# The same by edms-backup. The URL goes through the environment, where other users do not see it.
restore_by_binary() {
    say 'program    edms-backup does the work (EDMS_NO_BINARY=1 leaves it to this script)'
    [ -z "$url_of_option" ] || export DATABASE_URL="$url_of_option"
    set -- restore "$package" --no-owner --no-privileges
    while IFS=$tab read -r name_ folder_; do
        [ -z "$name_" ] || set -- "$@" --files "$name_=$folder_"
    done <<ROOTS
$roots
ROOTS
    [ "$with_database" = yes ] || set -- "$@" --skip-database
    [ "$with_files" = yes ] || set -- "$@" --skip-files
    # A database that is not empty is replaced by --force alone; edms-backup then knows the best way.
    if [ "$force" = no ] && [ "$with_database" = yes ]; then set -- "$@" --into fresh; fi
    if [ "$dry_run" = yes ]; then
        edms-backup "$@" --force --dry-run
        exit
    fi
    edms-backup "$@" --force --dry-run || exit
    confirm
    edms-backup "$@" --force || exit
    say '' 'What to do next:' \
        '  1. Start the application with the keys that README.txt names (SECRET_KEY and others do not travel in a package).' \
        '  2. python manage.py migrate, python manage.py check --deploy' \
        '  3. No password of the package works: python manage.py changepassword USER, or "forgot password" for everybody.' \
        "  README.txt and the configuration files of the package: tar -xf $(quoted "$package") README.txt config"
    exit 0
}

say "package    $package"
make_work
if [ -f "$package" ] && [ "${EDMS_NO_BINARY:-}" != 1 ] && edms-backup --version >/dev/null 2>&1; then
    [ ! -f "$package.sha256" ] || check_sum
    restore_by_binary
fi
if [ "$with_database" = yes ]; then find_database; fi
open_package
if ! grep '^database/' "$work/names" >/dev/null; then with_database=no; fi
if [ "$with_files" = yes ]; then check_roots; else roots=; fi
if [ "$with_database" = yes ]; then check_database; fi
describe_roots
if [ "$dry_run" = yes ]; then
    say 'Nothing was changed (--dry-run).'
    exit 0
fi
confirm
stage_files
if [ "$with_database" = yes ]; then load_database; fi
# From here on everything is on its way into place: renames only.
trap '' INT TERM HUP
place_files
say 'Restored.'
what_next
