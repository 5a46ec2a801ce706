#!/bin/sh
# Builds the control room for size, as it is in its image, into target/small (docs/adr/0088-a-small-control-room.md). Further
# arguments go to cargo.
set -eu

cd "$(dirname -- "$0")/.."

# At a start, the loader reads and rewrites every pointer in the program: listed one by one, they are a MiB.
set -- "$@" -- -C link-arg=-Wl,-z,pack-relative-relocs
# The same code is kept once, where lld links.
[ "$(uname -m)" != x86_64 ] || set -- "$@" -C link-arg=-Wl,--icf=all
exec cargo rustc --locked --profile small --package control-room --bin control-room "$@"
