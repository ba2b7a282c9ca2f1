#!/usr/bin/env bash
# Installs what is missing of the named tools, with apt. Says what it does; needs no root when nothing is missing.
#   install-tools.sh TOOL...      (postgresql, cc, or the name of a command)
set -euo pipefail

have() {
    case $1 in
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

package_of() {
    case $1 in
        cc) echo build-essential ;;
        bsdtar) echo libarchive-tools ;;
        *) echo "$1" ;;
    esac
}

packages=()
for tool in "$@"; do
    have "$tool" || packages+=("$(package_of "$tool")")
done
[ ${#packages[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    if ! command -v sudo >/dev/null; then
        echo "missing: ${packages[*]}. Install them as root: apt-get install ${packages[*]}" >&2
        exit 1
    fi
fi
if ! command -v apt-get >/dev/null; then
    echo "missing: ${packages[*]} (Debian's names). Install them with this system's package manager." >&2
    exit 1
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

echo "installing ${packages[*]} with apt-get${as_root[0]:+ (sudo)}"
"${as_root[@]}" apt-get update -qq
# Debian's package starts a server of its own by default. Nobody asked for one: we only want the programs.
if [[ " ${packages[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    install postgresql-common
    echo "setting create_main_cluster = false in /etc/postgresql-common/createcluster.conf: no system-wide server is started"
    "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
fi
install "${packages[@]}"
