#!/bin/sh
# Builds the programs that `lab up` starts, and nothing else, with the profile `lab` (Cargo.toml) into target/lab; LAB_PROFILE names
# another one. Further arguments go to cargo. Where no terminal shows cargo's bar, says how far it is.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

# C does not follow cargo's profiles: librdkafka at its own -O2 with debug information was 7 % of a cold build.
export CFLAGS="-O1 -g0 ${CFLAGS-}"

build() {
    cargo build --locked --profile "${LAB_PROFILE:-lab}" --bins --package cli --package order-api --package user-service --package order-worker \
        --package edge --package load --package lab-kafka --package lab-traces --package lab-objects --package notifier --package control-room "$@"
}

if [ -t 2 ]; then
    build "$@"
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
exit "$status"
