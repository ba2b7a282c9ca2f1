# --- what is to be cleaned up ---

work=
staged=           # lines of NAME, folder and "new" or "old": roots with a staging folder
placed=no         # the files
database_made=no  # by us, and not filled yet

cleanup() {
    status=$?
    trap '' INT TERM HUP
    if [ "$database_made" = yes ]; then
        drop_database || complain "the database $db_name was created and cannot be removed again: DROP DATABASE it"
    fi
    while IFS=$tab read -r name_ folder_ origin_; do
        [ -n "$name_" ] || continue
        rm -rf "$folder_/.edms-restore-sh.$stamp"
        [ ! -d "$folder_/.edms-previous-$stamp" ] || rmdir "$folder_/.edms-previous-$stamp" 2>/dev/null || :
        if [ "$origin_" = new ] && [ "$placed" = no ]; then rmdir "$folder_" 2>/dev/null || :; fi
    done <<ROOTS
$staged
ROOTS
    [ -z "$work" ] || rm -rf "$work"
    trap - EXIT
    exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

