#!/bin/sh
# What every script of tests/kubernetes has in common; they read it with `.`. It sets:
#   root     the checkout, found upwards from the script
#   script   its name, with which everything that it says begins
# `wait_until` and `without_link_warnings` write into the folder $work, which the script makes.
# shellcheck disable=SC2034,SC2154 # what is set here is used by those who read it, and $work is theirs
set -eu

script=$(basename -- "$0")
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
until [ -e "$root/tests/kubernetes/lib/common.sh" ]; do root=$(dirname -- "$root"); done

say() { printf '%s: %s\n' "$script" "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
now() { date +%s; }

# expected ARGUMENTS: ends a script that was called wrongly.
expected() { echo "expected: ${0#"$root/"} $*" >&2; exit 64; }

# wait_until SECONDS WHAT COMMAND...: asks again until the command succeeds; what it said last is shown when it never does.
wait_until() {
    patience=$1
    what=$2
    shift 2
    end=$(($(now) + patience))
    until "$@" >"$work/last" 2>&1; do
        [ "$(now)" -lt "$end" ] || { cat "$work/last"; die "$what: not within $patience s"; }
        sleep 0.5
    done
}

# is_built PROGRAM VERSION: whether the program is there, in this version.
is_built() { [ -x "$1" ] && [ "$(cat "$1.version" 2>/dev/null)" = "$2" ]; }

# once PROGRAM VERSION COMMAND...: the command, which makes the program, unless it is there in this version.
once() {
    ! is_built "$1" "$2" || return 0
    once_program=$1
    once_version=$2
    shift 2
    "$@"
    echo "$once_version" >"$once_program.version"
}

# module_source MODULE@VERSION: the folder of the module's source, downloaded if need be.
module_source() {
    go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p' | grep . \
        || { say "the module proxy did not deliver $1" >&2; return 1; }
}

# without_link_warnings HELM ARGUMENTS...: helm says on each run that it follows the links below the chart's files/: they are meant.
without_link_warnings() { "$@" 2>"$work/stderr" || { grep -v 'symbolic link' "$work/stderr" >&2; return 1; }; }
