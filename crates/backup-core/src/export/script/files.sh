# --- files ---

# What is in a folder, one per line, but what is ours and what belongs to the file system.
children() {
    (cd "$1" && find . ! -name . -prune ! -name '.edms-restore-*' ! -name '.edms-previous-*' ! -name 'lost+found')
}

# Moves that into another folder. Names may be anything.
move_children() {
    # shellcheck disable=SC2016 # the inner shell expands them
    (cd "$1" && find . ! -name . -prune ! -name '.edms-restore-*' ! -name '.edms-previous-*' ! -name 'lost+found' \
        -exec sh -c 'mv -f -- "$@" "$0/"' "$2" {} +) && [ -z "$(children "$1" | head -n 1)" ]
}

describe_roots() {
    while IFS=$tab read -r name_ folder_; do
        [ -n "$name_" ] || continue
        if [ ! -e "$folder_" ]; then
            state_='will be made'
        elif [ ! -d "$folder_" ]; then
            fail "$folder_ is not a folder, so the files of $name_ cannot go there"
        elif [ ! -w "$folder_" ] || [ ! -x "$folder_" ]; then
            fail "this user may not write into $folder_" "run the script as its owner, or as root"
        elif [ -n "$(children "$folder_" | head -n 1)" ]; then
            state_="what is in it will be kept, in $folder_/.edms-previous-$stamp"
        else
            state_=empty
        fi
        say "files      $name_ into $folder_: $state_"
    done <<ROOTS
$roots
ROOTS
}

# Unpacks every root into a staging folder inside its target, which may be a mount point.
stage_files() {
    while IFS=$tab read -r name_ folder_; do
        [ -n "$name_" ] || continue
        origin_=old
        if [ ! -d "$folder_" ]; then
            origin_=new
            (umask "$umask_before" && mkdir -p "$folder_") || fail "cannot make the folder $folder_"
        fi
        staged=$staged$name_$tab$folder_$tab$origin_$newline
        staging_=$folder_/.edms-restore-sh.$stamp
        if ! mkdir "$staging_" || ! mkdir "$folder_/.edms-previous-$stamp"; then
            fail "cannot write into $folder_; nothing was changed"
        fi
        unpack "$staging_" "files/$name_" 2>"$work/tar.err" </dev/null || fail "cannot unpack the files of $name_ into $folder_: $(head -n 1 "$work/tar.err")" \
            "is there room, and may this user write there? Nothing was changed"
        [ -d "$staging_/files/$name_" ] || fail "the files of $name_ did not come out of the package; nothing was changed"
        say "unpacked   the files of $name_"
    done <<ROOTS
$roots
ROOTS
}

# Puts what is staged in place, child by child; the old children go aside. A root that fails is put back as it was.
place_root() {
    new_=$2/.edms-restore-sh.$stamp/files/$1
    old_=$2/.edms-previous-$stamp
    if ! move_children "$2" "$old_"; then
        move_children "$old_" "$2" || complain "some of the old files of $1 are still in $old_"
        return 1
    fi
    touch -r "$new_" "$work/time"
    if ! move_children "$new_" "$2"; then
        if move_children "$2" "$new_"; then
            move_children "$old_" "$2" || complain "some of the old files of $1 are still in $old_"
        else
            complain "the old files of $1 are in $old_"
        fi
        return 1
    fi
    rm -rf "$2/.edms-restore-sh.$stamp"
    rmdir "$old_" 2>/dev/null || :
    touch -r "$work/time" "$2" 2>/dev/null || :
}

# A folder that was not there before gets everything from the package: mode, owner, time.
place_new_root() {
    staging_=$2/.edms-restore-sh.$stamp
    mv "$staging_/files/$1" "$2.edms-restore-sh.$stamp" && rm -rf "$staging_" && rmdir "$2/.edms-previous-$stamp" "$2" &&
        mv "$2.edms-restore-sh.$stamp" "$2"
}

place_files() {
    failed=
    while IFS=$tab read -r name_ folder_ origin_; do
        [ -n "$name_" ] || continue
        case $origin_ in
            new) place_new_root "$name_" "$folder_" ;;
            old) place_root "$name_" "$folder_" ;;
        esac || failed="$failed $name_"
    done <<ROOTS
$staged
ROOTS
    placed=yes
    if [ -n "$failed" ]; then
        [ "$with_database" = no ] || complain "the database is restored"
        fail "the files of these roots could not be moved into place, the old ones are back:$failed" \
            "mend what is said above, then run the script again with --skip-database"
    fi
}

