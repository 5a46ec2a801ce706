# Shortcuts. Nobody needs `just` to start: every recipe calls a command that works without it.

set positional-arguments

# What there is.
_default:
    @just --list --unsorted

# Start the lab in the foreground; Ctrl-C stops it.
up *args:
    ./lab up "$@"

# Stop the lab.
down *args:
    ./lab down "$@"

# Show the parts: readiness, memory, restarts.
status *args:
    ./lab status "$@"

# Follow the logs of all services.
logs *args:
    ./lab logs -f "$@"

# Be paged: what reaches the person on call.
pages *args:
    ./lab pages --follow "$@"

# Show what is pending and firing.
alerts *args:
    ./lab alerts "$@"

# Switch a fault on: just break order-api http-error rate=0.2 ttl=5m
break service fault *parameters:
    ./lab break "$@"

# End faults: all, of one service, or one.
fix *args:
    ./lab fix "$@"

# Every check of the project, as CI runs it.
test *args:
    ./lab test "$@"

# The fast checks: shell, format, rules, clippy, unit tests.
check:
    ./lab test --quick

# Kill everything, again and again, and prove that no order is lost: just torture --for 5m --seed 7
torture *args:
    ./lab torture "$@"

# Measure: middleware overhead, orders per second, memory, start-up; just bench build: how long the compiler takes.
bench *args:
    ./lab bench "$@"

# The lab on Kubernetes: images, a kind cluster where there is no context, the chart. just deploy --profile ha
deploy *args:
    deploy/deploy up "$@"

# Remove the release; --cluster also removes the kind cluster.
deploy-down *args:
    deploy/deploy down "$@"

# Pods, restarts, the release.
deploy-status:
    deploy/deploy status

# The ports of the lab in the cluster, on this machine, until Ctrl-C.
forward:
    deploy/deploy forward

# Everything in containers, without Kubernetes: build the images, start, wait until all is well.
compose-up *args:
    deploy/deploy compose up --detach --wait "$@"

# Stop the containers; --volumes deletes the data too.
compose-down *args:
    deploy/deploy compose down "$@"

# Build all images.
images:
    deploy/deploy images

# Check the Helm chart.
chart:
    cargo xtask chart

# Check the Prometheus rules and run their tests.
rules:
    cargo xtask rules

# Write everything that is generated, or one of pages, snapshots, chart; --check fails where a committed file differs.
generate *args:
    cargo xtask generate "$@"

# Build the documentation as a book in target/book; installs mdbook when it is missing.
book:
    command -v mdbook >/dev/null || cargo install --locked --no-default-features mdbook@0.5.4
    rm -rf target/book-src && cp -R docs target/book-src
    # Links that leave docs/ lead to the repository instead.
    sed -i.bak 's#](\.\./#](https://github.com/sre-lab/sre-lab/blob/main/#g' target/book-src/*.md
    sed -i.bak 's#](\.\./\.\./#](https://github.com/sre-lab/sre-lab/blob/main/#g' target/book-src/*/*.md
    find target/book-src -name '*.bak' -delete
    MDBOOK_BOOK__SRC=target/book-src mdbook build

# Format everything.
fmt:
    cargo fmt --all
