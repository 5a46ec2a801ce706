# Functions for the scripts of tests/deploy, which source this file. It sets `root`, the checkout; `work`, a folder that is removed at
# the end, with the file `calls`, in which each fake notes what it was called with; and PATH, on which the fakes come first.
#
# A fake does what its variable says, by the words that it is called with: see fakes/.
# shellcheck shell=sh disable=SC2034
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root" || exit
script=$(basename -- "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
FAKES=$work
PATH=$root/tests/deploy/fakes:$PATH
export FAKES PATH
unset CONTEXT NAMESPACE RELEASE REPOSITORY BINARIES TOOLCHAIN TOOLS LAB HOOK_TOKEN LAB_CONTEXT LAB_CONTROL_ROOM_URL LAB_DIR LAB_PERSON LAB_PROMETHEUS_URL || :

say() { printf '%s: %s\n' "$script" "$*"; }

# begin WHAT: the next case; nothing has been called, and every fake succeeds.
begin() {
    what=$1
    : >"$work/calls"
    : >"$work/sent"
    rm -f "$work"/fails-* "$work"/says-* "$work"/after-*
}

# run CODE COMMAND...: the command ends with this code. Its output is in $work/said.
run() {
    expected=$1
    shift
    code=0
    "$@" >"$work/said" 2>&1 </dev/null || code=$?
    [ "$code" = "$expected" ] || wrong "ended with $code; expected $expected"
}

# fails WORDS [CODE]: a call with these words ends with the code, 1 by default.
fails() { printf '%s\t%s\n' "$1" "${2:-1}" >>"$work/fails-list"; }
# from_then_on WORDS OTHER: once there was a call with the words, those with the other ones fail.
from_then_on() { printf '%s\t%s\n' "$1" "$2" >>"$work/after-list"; }
# says WORDS TEXT: what a call with these words prints.
says() { printf '%s\t%s\n' "$1" "$2" >>"$work/says-list"; }

said() { grep -qF -- "$1" "$work/said" || wrong "does not say: $1"; }
called() { grep -qF -- "$1" "$work/calls" || wrong "was not called: $1"; }
not_called() { ! grep -qF -- "$1" "$work/calls" || wrong "was called: $1"; }
sent() { grep -qF -- "$1" "$work/sent" || wrong "was not sent: $1; but: $(cat "$work/sent")"; }
# before ONE OTHER: the first call with the one comes before the first with the other.
before() {
    one=$(grep -nF -- "$1" "$work/calls" | head -n 1 | cut -d: -f1)
    other=$(grep -nF -- "$2" "$work/calls" | head -n 1 | cut -d: -f1)
    if [ -n "$one" ] && [ "${other:-0}" -gt "$one" ]; then return 0; fi
    wrong "\`$1\` was not called before \`$2\`"
}
called_times() { [ "$(grep -cF -- "$2" "$work/calls")" = "$1" ] || wrong "was not called $1 times: $2"; }

wrong() {
    { say "FAILED: $what: $*"; echo "--- it said"; cat "$work/said"; echo "--- calls"; cat "$work/calls"; } >&2
    exit 1
}
