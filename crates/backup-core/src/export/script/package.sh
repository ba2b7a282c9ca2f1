# --- the package ---

make_work() {
    base=${TMPDIR:-/tmp}
    work=$base/edms-restore.$stamp
    if ! mkdir "$work"; then
        work=
        fail "cannot make a temporary folder in $base" "TMPDIR names another place for it"
    fi
}

check_sum() {
    if [ ! -f "$package.sha256" ]; then
        say "sum        there is no ${package##*/}.sha256: only the sums inside gzip are checked"
        return
    fi
    expected_=
    read -r expected_ rest_ <"$package.sha256"
    expected_=${expected_#\\}
    if is_there sha256sum; then
        actual_=$(sha256sum <"$package")
    elif is_there shasum; then
        actual_=$(shasum -a 256 <"$package")
    else
        fail "neither sha256sum nor shasum is installed, so the package cannot be checked" \
            "install one of them, or take ${package##*/}.sha256 away to go on without"
    fi
    [ "${actual_%% *}" = "$expected_" ] || fail "the package is damaged, or the .sha256 is not its own: its SHA-256 is ${actual_%% *}, ${package##*/}.sha256 says $expected_" \
        "copy the package here once more; nothing was changed"
    say "sum        right"
}

# Unpacks a part of the package into a folder: unpack FOLDER PART…
unpack() {
    to_=$1
    shift
    if [ -d "$package" ]; then
        rm -f "$work/packed"
        (cd "$package" && tar -cf - "$@" && : >"$work/packed") | (cd "$to_" && tar -xpf -) && [ -e "$work/packed" ]
    else
        tar -xp${zip}f "$package" -C "$to_" ${attributes:+"$attributes"} "$@"
    fi
}

# Sets $source (a folder with database/ and manifest.toml) and $names (a list of what is in the package).
open_package() {
    zip=
    attributes=
    if tar --version 2>/dev/null | grep 'GNU tar' >/dev/null; then attributes=--xattrs; fi
    if [ -d "$package" ]; then
        [ -f "$package/manifest.toml" ] || fail "$package is not an unpacked package: it has no manifest.toml"
        say "sum        a package that is unpacked already has none"
        source=$package
        for part_ in "$package/database/pre-data.sql" "$package"/files/*/; do
            [ ! -e "$part_" ] || printf '%s\n' "${part_#"$package/"}"
        done >"$work/names"
        return
    fi
    case $(od -An -tx1 -N4 "$package" | tr -d ' \n') in
        1f8b*) zip=z ;;
        28b52ffd | 5e2a4d18) fail "${package##*/} is compressed by Zstandard" "zstd -d '$package' makes a .tar of it; restore that" ;;
        6167652d) fail "${package##*/} is sealed" "age -d -i IDENTITY_FILE -o package.tar.gz '$package' opens it; restore package.tar.gz" ;;
    esac
    check_sum
    tar -t${zip}f "$package" >"$work/names" 2>"$work/tar.err" || fail "tar cannot read $package: $(head -n 1 "$work/tar.err")" \
        "is it a package of edms-backup, and was it copied whole? Nothing was changed"
    grep '^manifest\.toml$' "$work/names" >/dev/null || fail "${package##*/} is not a finished package of edms-backup: it has no manifest.toml"
    source=$work/package
    mkdir "$source"
    set -- manifest.toml
    if [ "$with_database" = yes ] && grep '^database/' "$work/names" >/dev/null; then set -- database "$@"; fi
    if ! unpack "$source" "$@" 2>"$work/tar.err"; then
        # busybox unpacks a folder that has no entry of its own, but says that it did not find it.
        grep -v ' database: not found in archive' "$work/tar.err" >"$work/tar.errors"
        [ ! -s "$work/tar.errors" ] || fail "cannot unpack the database into $work: $(head -n 1 "$work/tar.errors")" \
            "is there room? TMPDIR names another place. Nothing was changed"
    fi
    [ $# -eq 1 ] || [ "$(grep -c '^database/.*[^/]$' "$work/names")" -eq "$(find "$source/database" -type f | wc -l)" ] ||
        fail "tar did not unpack all of the database into $work" "is there room? TMPDIR names another place. Nothing was changed"
}

# The value of a key in a section of the manifest: value_of SECTION KEY
value_of() {
    awk -v section="[$1]" -v key="$2" '
        /^\[/ { here = ($0 == section) }
        here && $1 == key && $2 == "=" { sub(/^[^=]*= */, ""); gsub(/^"|"$/, ""); print; exit }' "$source/manifest.toml"
}

# The roots of the package against those that were named.
check_roots() {
    sed -n 's,^files/\([^/]*\)/.*,\1,p' "$work/names" | sort -u >"$work/roots"
    while IFS=$tab read -r name_ folder_; do
        [ -n "$name_" ] || continue
        grep -x -F -e "$name_" "$work/roots" >/dev/null || usage "the package has no file root $name_" \
            "it has: $(tr '\n' ' ' <"$work/roots")"
    done <<ROOTS
$roots
ROOTS
    missing_=
    while IFS= read -r name_; do
        case "$newline$roots" in
            *"$newline$name_$tab"*) ;;
            *) missing_="$missing_ --files $name_=DIR" ;;
        esac
    done <"$work/roots"
    [ -z "$missing_" ] || usage "nobody said where these files of the package belong:$missing_" \
        "name a folder for each, or --skip-files"
}

