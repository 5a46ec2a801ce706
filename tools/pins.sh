#!/bin/sh
# How old each pinned version is: the days since the line that pins it was last changed, by git. Oldest first.
#
#   tools/pins.sh               all pins
#   tools/pins.sh --older 90    those above 90 days; exit 1 if there are any
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

above=-1
case ${1-} in
    "") ;;
    --older) above=${2:?tools/pins.sh: --older needs a number of days} ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2 && exit 64 ;;
esac

now=$(date +%s)
# A file, and what a line with a pin looks like in it.
pins() {
    git blame --line-porcelain -- "$1" | awk -v file="$1" -v like="$2" -v now="$now" '
        /^committer-time / { time = $2 }
        /^\t/ {
            line = substr($0, 2)
            if (line ~ like && line !~ /indirect$/) {
                gsub(/^[ \t-]+|@sha256:[0-9a-f]+|@[0-9a-f]+ #|uses: |image: |&node |ARG [A-Z]+=|FROM /, "", line)
                printf "%d\t%s\t%s\n", (now - time) / 86400, line, file
            }
        }'
}

all() {
    for file in deploy/helm/sre-lab/values.yaml deploy/compose/compose.yaml deploy/kind/cluster.yaml deploy/docker/Dockerfile; do
        pins "$file" '@sha256:'
    done
    pins rust-toolchain.toml '^channel'
    for file in .github/workflows/*.yml; do pins "$file" 'uses: .*@[0-9a-f]+ # v'; done
    for file in tools/*/requirements.txt; do pins "$file" '=='; done
    for file in $(git ls-files '*go.mod'); do pins "$file" '^(require )?.?[a-z.]+/.* v[0-9]'; done
    # Programs of crates.io that are only run.
    for file in tools/bench.sh justfile; do pins "$file" 'cargo install .*@[0-9]'; done
    # Crates that are held at one version; the others follow `cargo update`, and Cargo.lock says to what.
    pins Cargo.toml '"=[0-9]'
}

old=$(all | awk -F '\t' -v above="$above" '$1 > above' | sort -rn)
[ -z "$old" ] || printf '%s\n' "$old" | awk -F '\t' '{ printf "%5d d  %-80s %s\n", $1, $2, $3 }'
[ "$above" -lt 0 ] || [ -z "$old" ]
