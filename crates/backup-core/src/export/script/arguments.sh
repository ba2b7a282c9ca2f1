# --- the command line ---

package=
url_of_option=
roots= # lines of NAME, tab, folder
force=no
dry_run=no
with_database=yes
with_files=yes

add_root() {
    case $1 in
        *"$newline"* | *"$tab"*) usage "--files: a folder with a tab or a newline in its name is not supported" ;;
        ?*=?*) ;;
        *) usage "--files wants NAME=DIR, such as documents=/srv/edms/documents" ;;
    esac
    name_=${1%%=*}
    folder_=${1#*=}
    case $folder_ in
        /*) ;;
        *) folder_=$PWD/$folder_ ;;
    esac
    while [ "$folder_" != / ] && [ "${folder_%/}" != "$folder_" ]; do folder_=${folder_%/}; done
    case "$newline$roots" in
        *"$newline$name_$tab"*) usage "--files $name_: this root is named twice" ;;
        *"$tab$folder_$newline"*) usage "--files $name_: another root goes into $folder_ already" ;;
    esac
    roots=$roots$name_$tab$folder_$newline
}

while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            help
            exit 0
            ;;
        --database-url | --files)
            [ $# -gt 1 ] || usage "$1 wants a value"
            if [ "$1" = --files ]; then add_root "$2"; else url_of_option=$2; fi
            shift
            ;;
        --database-url=*) url_of_option=${1#*=} ;;
        --files=*) add_root "${1#*=}" ;;
        --force) force=yes ;;
        --dry-run) dry_run=yes ;;
        --skip-database) with_database=no ;;
        --skip-files) with_files=no ;;
        --)
            shift
            [ $# -le 1 ] || usage "more than one package is named"
            [ $# -eq 0 ] || package=$1
            break
            ;;
        -*) usage "there is no option $1" "sh restore.sh --help lists all" ;;
        *)
            [ -z "$package" ] || usage "more than one package is named: $package, $1"
            package=$1
            ;;
    esac
    shift
done
[ "$with_database$with_files" != nono ] || usage "--skip-database and --skip-files together leave nothing to do"

if [ -z "$package" ]; then
    case $0 in
        */*) package=${0%/*} ;;
        *) package=. ;;
    esac
    [ -f "$package/manifest.toml" ] || usage "no package is named, and this script does not stand in an unpacked one" \
        "sh restore.sh PACKAGE.tar.gz, or unpack the package and run the script that is in it"
fi
[ -e "$package" ] || usage "there is no $package"
case $package in
    /*) ;;
    *) package=$PWD/$package ;;
esac

