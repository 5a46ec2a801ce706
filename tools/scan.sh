#!/bin/sh
# Known vulnerabilities in what the lab is made of and runs with, by grype (https://github.com/anchore/grype). Says which have a fix.
#
#   tools/scan.sh               all of the following
#   tools/scan.sh sbom          the bills of materials of the programs, which deploy/deploy writes first
#   tools/scan.sh images        the newest image of each program that the engine has: crates, and the packages of its libraries
#   tools/scan.sh others        the images of others, as the chart pins them
#
# Fails if one of ours has a fixable vulnerability of severity high or above, or one of others a critical one. Findings that do not
# apply are listed in .grype.yaml, each with its reason. GRYPE names the program, if it is not on PATH; without it the scan is skipped,
# and fails in CI. The first scan fetches grype's list of vulnerabilities.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
grype=${GRYPE:-grype}
repository=${REPOSITORY:-sre-lab}
found=$(mktemp)
list=$(mktemp)
trap 'rm -f "$found" "$list"' EXIT

has() { command -v "$1" >/dev/null 2>&1; }
skip() {
    [ "${CI-}" != true ] || { echo "scan: $1 cannot be scanned: $2" >&2; exit 1; }
    echo "SKIPPED: $1 ($2)"
}

# scan SEVERITY SOURCE: prints what is known of it. 2 is grype's word for a finding of that severity; anything else is a failure to look.
scan() {
    echo "== $2"
    status=0
    "$grype" --quiet --only-fixed --fail-on "$1" "$2" </dev/null || status=$?
    case $status in
        0) ;;
        2) echo "$2" >>"$found" ;;
        *) echo "scan: grype ended with $status" >&2; exit 1 ;;
    esac
}

bills() {
    has cargo || { skip "bills of materials" "they are written with cargo: see https://rustup.rs"; return; }
    # shellcheck disable=SC2046 # a list of words
    deploy/deploy sbom $(cat deploy/docker/programs deploy/docker/tools) >/dev/null
    for bill in target/sbom/*/usr/share/sbom/*.cdx.json; do scan high "sbom:$bill"; done
}

images() {
    { has docker && docker info >/dev/null 2>&1; } || { skip "images of the programs" "no engine of containers answers"; return; }
    cat deploy/docker/programs deploy/docker/tools >"$list"
    while read -r program <&3; do
        image=$(docker image ls --format '{{.Repository}}:{{.Tag}}' "$repository/$program" | head -n 1)
        if [ -n "$image" ]; then scan high "docker:$image"; else skip "image of $program" "it is not built: TOOLS=yes deploy/deploy images"; fi
    done 3<"$list"
}

others() {
    sed -n 's/^ *image: \([^ ]*@sha256:[0-9a-f]*\)$/\1/p' deploy/helm/sre-lab/values.yaml | sort -u >"$list"
    [ -s "$list" ] || { echo "scan: deploy/helm/sre-lab/values.yaml pins no image" >&2; exit 1; }
    while read -r image <&3; do scan critical "registry:$image"; done 3<"$list"
}

for part in "$@"; do
    case $part in
        sbom | images | others) ;;
        *) sed -n '2,/^set -eu$/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
    esac
done
has "$grype" || { skip "vulnerabilities" "grype is not on PATH: https://github.com/anchore/grype#installation"; exit 0; }
[ $# -gt 0 ] || set -- sbom images others
for part in "$@"; do
    case $part in
        sbom) bills ;;
        *) "$part" ;;
    esac
done
[ ! -s "$found" ] || { printf '\nscan: to be updated:\n' >&2; cat "$found" >&2; exit 1; }
