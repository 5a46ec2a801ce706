#!/bin/sh
# The linker of tools/build.sh: cc, which links a program at a fixed address where rustc asks for one that can be anywhere. What is
# no program, such as a macro, stays as it is.
set -eu

for argument in "$@"; do
    [ "$argument" != -pie ] || exec cc "$@" -no-pie
done
exec cc "$@"
