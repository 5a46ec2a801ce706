#!/bin/sh
# Builds the programs that every `lab up` starts, and nothing else, with the profile `lab` (Cargo.toml) into target/lab; LAB_PROFILE
# names another one. Further arguments go to cargo, such as `--package lab-objects`. Where no terminal shows cargo's bar, says how
# far it is.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

# C does not follow cargo's profiles. Not optimized, it takes half as long as with -O1, and a lab's few hundred messages per second
# need no more. What is measured or given to others has a release's C.
[ "${LAB_PROFILE:-lab}" != lab ] || export CFLAGS="-O0 -g0 ${CFLAGS-}"

# At a fixed address a program begins without rewriting its own pages (docs/adr/0058-programs-at-a-fixed-address.md), and the same code
# is in it once (docs/adr/0066-one-copy-of-the-same-code.md). Not what others are given: there, an address that changes with each start
# is worth its memory.
if [ "${LAB_PROFILE:-lab}" = lab ] && [ "$(uname -s)" = Linux ]; then
    host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    [ -z "$host" ] || export "CARGO_TARGET_${host}_LINKER=$root/tools/linker.sh"
fi

# Each of them is started by every `lab up`.
programs="control-room edge lab-kafka lab-traces load order-api order-worker user-service"
# In a lab they are one file, so that what they share is in memory once (docs/adr/0074-programs-in-one-file.md). What others are
# given is a file each.
if [ "${LAB_PROFILE:-lab}" = lab ]; then
    set -- --package lab-programs --features lab-programs/one-file "$@"
else
    for program in $programs; do set -- --package "$program" "$@"; done
fi

build() {
    cargo build --locked --profile "${LAB_PROFILE:-lab}" --bins --package cli "$@"
}

# Gives the one file the names of its programs.
name() {
    [ "${LAB_PROFILE:-lab}" = lab ] || return 0
    folder=${CARGO_TARGET_DIR:-target}/lab
    for program in $programs; do
        # Where a file system has no second names, copies take more memory, and that is all.
        ln -f "$folder/lab-programs" "$folder/$program" 2>/dev/null || cp -f "$folder/lab-programs" "$folder/$program"
    done
}

if [ -t 2 ]; then
    build "$@"
    name
    exit
fi

# The bar ends in `done/all: names`. It is drawn into a file, and the file is asked for its last line.
drawn=$(mktemp)
lines() { tr '\r' '\n' <"$drawn" | tr -d '\033' | sed 's/^\[K//'; }
tell() {
    while sleep 20 >/dev/null 2>&1; do
        lines | grep . | tail -n 1 | sed 's/^ *Building \[.*\] \([0-9]*\)\/\([0-9]*\).*/built \1 of \2/; s/^ */lab: /' >&2
    done
}
tell &
teller=$!
trap 'kill "$teller" 2>/dev/null || :; rm -f "$drawn"' EXIT
trap 'exit 130' INT TERM
status=0
CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=80 build "$@" 2>"$drawn" || status=$?
# Warnings, errors, and how long it took.
lines | grep -v '^ *Building \[\|^ *Compiling \|^$' >&2 || :
[ "$status" = 0 ] || exit "$status"
name
