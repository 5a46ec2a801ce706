#!/bin/sh
# The linker of tools/build.sh: cc, which links a program at a fixed address where rustc asks for one that can be anywhere, and keeps
# one copy of functions whose code is the same where lld links. What is no program, such as a macro, stays as it is.
set -eu

program=
fold=
for argument in "$@"; do
    case $argument in
        -pie) program=1 ;;
        # The only linker that rustc brings along, and the only one here of which we know that it can.
        -fuse-ld=lld) fold=-Wl,--icf=all ;;
    esac
done
[ -n "$program" ] || exec cc "$@"
exec cc "$@" -no-pie ${fold:+"$fold"}
