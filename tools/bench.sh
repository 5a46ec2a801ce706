#!/bin/sh
# The project's own measurements: builds what they need, and runs them. `./lab bench` installs what is missing first.
#
#   tools/bench.sh build    how long a build takes
#   tools/bench.sh NAME …   a measurement of tools/bench
set -eu

cd "$(dirname -- "$0")/.."
[ "${1-}" != build ] || exec cargo xtask build-times
# The control room as it is in its image.
[ "${1-}" != storm ] || tools/small.sh
# The generator that ours is compared with (MIT).
[ "${1-}" != load ] || cargo install --locked --root target/tools oha@1.16.0
cargo build --release --locked --workspace --bins
exec target/release/bench "$@"
