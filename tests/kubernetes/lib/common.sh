#!/bin/sh
# Functions for every script of tests/kubernetes, which sources this file. It sets:
#   root     the checkout, found upwards from the script
#   script   the script's name, the prefix of its messages
# `wait_until` and `without_link_warnings` write into the folder $work, which the script creates.
# shellcheck disable=SC2034,SC2154 # the scripts use these variables, and set $work
set -eu

script=$(basename -- "$0")
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
until [ -e "$root/tests/kubernetes/lib/common.sh" ]; do root=$(dirname -- "$root"); done

say() { printf '%s: %s\n' "$script" "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
now() { date +%s; }

# expected ARGUMENTS: ends a script that was called with wrong arguments.
expected() { echo "expected: ${0#"$root/"} $*" >&2; exit 64; }

# wait_until SECONDS WHAT COMMAND...: repeats the command until it succeeds; if it never does, shows its last output.
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

# is_built PROGRAM VERSION: whether the program exists in this version.
is_built() { [ -x "$1" ] && [ "$(cat "$1.version" 2>/dev/null)" = "$2" ]; }

# once PROGRAM VERSION COMMAND...: runs the command, which builds the program, unless it exists in this version.
once() {
    ! is_built "$1" "$2" || return 0
    once_program=$1
    once_version=$2
    shift 2
    "$@"
    echo "$once_version" >"$once_program.version"
}

# module_source MODULE@VERSION: the folder of the module's source, downloaded if necessary.
module_source() {
    go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p' | grep . \
        || { say "the source of $1 could not be downloaded" >&2; return 1; }
}

# without_link_warnings HELM ARGUMENTS...: hides helm's warnings about the symbolic links in the chart's files/,
# which are intended.
without_link_warnings() { "$@" 2>"$work/stderr" || { grep -v 'symbolic link' "$work/stderr" >&2; return 1; }; }
