#!/bin/sh
# Installs programs that the lab needs and this machine lacks. `./lab` calls it.
#
#   tools/install.sh build               what compiles the lab
#   tools/install.sh run                 what `./lab up` starts
#   tools/install.sh apache              that, and what Apache Kafka needs
#   tools/install.sh opensearch          the same for OpenSearch
#   tools/install.sh test                all of it, and what the suite needs
#   tools/install.sh exporters           what measures the servers and the host; `run` tries it and works without it
#   tools/install.sh --no-install run    install nothing; fail with the command that would
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
install=yes
if [ "${1-}" = --no-install ]; then
    install=no
    shift
fi

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- what is needed ---------------------------------------------------------------------------------------------------

has_postgres() {
    has postgres && has initdb && return
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && return
    done
    return 1
}

has_chromium() {
    for name in chromium chromium-browser google-chrome; do
        has "$name" && return
    done
    for name in Chromium 'Google Chrome'; do
        [ -x "/Applications/$name.app/Contents/MacOS/$name" ] && return
    done
    return 1
}

manager() {
    for name in apt-get dnf pacman brew; do
        has "$name" && { echo "$name"; return; }
    done
    echo none
}

# The packages of a manager for a need: MANAGER NEED -> package names.
packages() {
    case "$1:$2" in
        *:cc) case "$1" in apt-get) echo gcc libc6-dev ;; brew) ;; *) echo gcc ;; esac ;;
        *:c++) case "$1" in apt-get) echo g++ ;; dnf) echo gcc-c++ ;; pacman) echo gcc ;; esac ;;
        *:make) echo make ;;
        apt-get:postgres) echo postgresql ;;
        dnf:postgres) echo postgresql-server ;;
        brew:postgres) echo postgresql@17 ;;
        *:postgres) echo postgresql ;;
        apt-get:redis) echo redis-server ;;
        brew:redis) echo redis ;;
        *:redis) echo valkey ;;
        apt-get:prometheus | pacman:prometheus | brew:prometheus) echo prometheus ;;
        dnf:prometheus) echo golang-github-prometheus ;;
        apt-get:alertmanager) echo prometheus-alertmanager ;;
        dnf:alertmanager) echo golang-github-prometheus-alertmanager ;;
        *:alertmanager) echo alertmanager ;;
        apt-get:*-exporter | pacman:node-exporter) echo "prometheus-$2" ;;
        dnf:node-exporter) echo golang-github-prometheus-node-exporter ;;
        brew:node-exporter) echo node_exporter ;;
        # Debian 12 and Ubuntu 22.04 have Java 17, later releases have 21.
        apt-get:java)
            # shellcheck disable=SC1091 # a file of the machine
            case "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" in
                bookworm | jammy) echo openjdk-17-jre-headless ;;
                *) echo openjdk-21-jre-headless ;;
            esac ;;
        dnf:java) echo java-21-openjdk-headless ;;
        pacman:java) echo jre21-openjdk-headless ;;
        brew:java) echo openjdk@21 ;;
        *:maven) echo maven ;;
        dnf:node) echo nodejs-npm ;;
        brew:node) echo node ;;
        *:node) echo nodejs npm ;;
        # With fonts: without any, every letter of a page is a box.
        apt-get:chromium)
            # shellcheck disable=SC1091 # a file of the machine
            case "$(. /etc/os-release && echo "${ID-}")" in
                ubuntu) echo chromium-browser chromium-chromedriver fonts-liberation fonts-dejavu-core ;;
                *) echo chromium chromium-driver fonts-liberation fonts-dejavu-core ;;
            esac ;;
        pacman:chromium) echo chromium ttf-liberation ttf-dejavu ;;
        *:chromium) echo chromium chromedriver ;;
        dnf:shellcheck) echo ShellCheck ;;
        *:shellcheck) echo shellcheck ;;
    esac
}

# Only those that the machine's manager has: nothing else needs them.
missing_exporters() {
    from=$(manager)
    for name in postgres redis node; do
        has "prometheus-$name-exporter" || has "${name}_exporter" || [ -z "$(packages "$from" "$name-exporter")" ] || echo "$name-exporter"
    done
}

# Names of needs, once each, from the words of `fetch --check`.
java_needs() { sed -e 's/^Java.*/java/' -e 's/^Maven$/maven/' | sort -u; }

missing() {
    case "$1" in
        exporters)
            missing_exporters
            return ;;
        build | test)
            has cc || has gcc || has clang || echo cc
            # librdkafka is C; its configure script asks for a C++ compiler all the same.
            has c++ || has g++ || has clang++ || echo c++
            has make || echo make ;;
    esac
    [ "$1" != build ] || return 0
    has_postgres || echo postgres
    has redis-server || has valkey-server || echo redis
    { has prometheus && has promtool; } || echo prometheus
    { { has prometheus-alertmanager || has alertmanager; } && has amtool; } || echo alertmanager
    if [ "$1" = test ]; then
        has shellcheck || echo shellcheck
        { has node && has npm; } || echo node
        { has_chromium && has chromedriver; } || echo chromium
        missing_exporters
    fi
    case "$1" in
        test) { "$root/tools/kafka/fetch" --check; "$root/tools/opensearch/fetch" --check; } | java_needs ;;
        apache) "$root/tools/kafka/fetch" --check | java_needs ;;
        opensearch) "$root/tools/opensearch/fetch" --check | java_needs ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# --- installing without starting anything -----------------------------------------------------------------------------

# Debian's packages start their services, and PostgreSQL's creates a cluster. policy-rc.d prevents the former and
# createcluster.conf the latter; both are restored afterwards.
install_apt() (
    policy=/usr/sbin/policy-rc.d
    cluster=/etc/postgresql-common/createcluster.conf
    saved=$(mktemp -d)
    # shellcheck disable=SC2317 # called by the trap
    restore() {
        if [ -e "$saved/policy" ]; then as_root cp -p "$saved/policy" "$policy"; else as_root rm -f "$policy"; fi
        # Remove only what this script wrote: the package may have installed its own file.
        if [ -e "$saved/ours" ]; then as_root sed -i '/^create_main_cluster = false # lab$/d' "$cluster"; fi
        rm -rf "$saved"
    }
    trap restore EXIT
    trap 'exit 130' INT TERM
    if [ -e "$policy" ]; then cp -p "$policy" "$saved/policy"; fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    if ! has pg_createcluster; then
        # The common package first: its configuration decides whether the server package creates a cluster.
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common
        if [ -e "$cluster" ] || as_root mkdir -p "$(dirname "$cluster")"; then
            echo 'create_main_cluster = false # lab' | as_root tee -a "$cluster" >/dev/null
            : > "$saved/ours"
        fi
    fi
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1
    # Servers installed for the lab must not start at boot and take the lab's ports.
    if has systemctl; then
        for unit in $1; do
            as_root systemctl --quiet disable "$unit" 2>/dev/null || :
        done
    fi
)

ensure() {
    needs=$(missing "$1" | tr '\n' ' ')
    [ -z "$needs" ] && return
    from=$(manager)
    list=$(for need in $needs; do packages "$from" "$need"; done | tr '\n' ' ')
    case $from in
        apt-get) command="apt-get install --no-install-recommends $list" ;;
        dnf) command="dnf install $list" ;;
        pacman) command="pacman -S --needed $list" ;;
        brew) command="brew install $list" ;;
        none) die "missing: ${needs% }. No apt, dnf, pacman or brew found: install them by hand" ;;
    esac
    [ "$install" = yes ] || die "missing: ${needs% }. Install them with:  $command"
    say "missing: ${needs% }"
    say "installing: $list  (with $from; no service is started)"
    [ "$from" = brew ] || [ "$(id -u)" = 0 ] || has sudo || die "installing needs root; run as root:  $command"
    # shellcheck disable=SC2086 # a list of words
    case $from in
        apt-get) install_apt "$list" ;;
        dnf) as_root dnf install -y --setopt=install_weak_deps=False $list ;;
        pacman) as_root pacman -S --needed --noconfirm $list ;;
        brew) brew install $list ;;
    esac
    needs=$(missing "$1" | tr '\n' ' ')
    [ -z "$needs" ] || die "still missing after the installation: ${needs% }"
}

case "${1-}" in
    build | opensearch | exporters) ensure "$1" ;;
    test)
        ensure test
        # The tests that need it say so.
        [ "$install" = no ] || "$root/tools/axe/install" || say "axe-core cannot be installed: the pages are not judged by it" ;;
    run | apache)
        ensure "$1"
        # In a process of its own, which stops at the first command that fails.
        option=
        [ "$install" = yes ] || option=--no-install
        "$root/tools/install.sh" ${option:+"$option"} exporters \
            || say "the lab runs without them; lab status says what is not measured" ;;
    *) die "expected: tools/install.sh [--no-install] build|run|apache|opensearch|test|exporters" ;;
esac
