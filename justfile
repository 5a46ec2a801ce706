# Shortcuts. `just` is optional: every recipe calls a command that works without it.

set positional-arguments

# List the recipes.
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

# Follow the pages that reach the person on call.
pages *args:
    ./lab pages --follow "$@"

# Show pending and firing alerts.
alerts *args:
    ./lab alerts "$@"

# Switch a fault on: just break order-api http-error rate=0.2 ttl=5m
break service fault *parameters:
    ./lab break "$@"

# End faults: all, of one service, or one.
fix *args:
    ./lab fix "$@"

# Run every check, as CI does.
test *args:
    ./lab test "$@"

# Run the fast checks: shell, format, rules, clippy, unit tests.
check:
    ./lab test --quick

# Kill parts of the lab repeatedly and prove that no order is lost: just torture --for 5m --seed 7
torture *args:
    ./lab torture "$@"

# Load tests with a verdict, on a running lab: just load run smoke; just load capacity --quick; just load results list
load *args:
    target/lab/load "$@"

# Measure: middleware overhead, orders per second, memory, start-up; just bench build: how long the compiler takes; just bench load, regression, capacity, soak: the performance lab itself.
bench *args:
    ./lab bench "$@"

# Compare the checkout with a revision: just perf main; just perf main --instructions counts them with valgrind.
perf *args:
    cargo xtask perf "$@"

# Ship one service to the running lab: format, clippy, tests, build, gate, release, verify. just ship order-api; just ship hello --until build
ship *args:
    deploy/ship "$@"

# Make a new service, as a copy of services/hello: just new-service quotes
new-service *args:
    tools/new-service "$@"

# Release each version to practise on, on a running lab, and prove that the bad ones are stopped: just versions errors leak
versions *args:
    deploy/releases/verify "$@"

# Draw where services spend their CPU time under load, into target/flame: just flame; just flame user-service --rate 400; just flame --top 3; just flame --keep
flame *args:
    cargo xtask flame "$@"

# Deploy to Kubernetes: images, a kind cluster if there is no context, the chart. just deploy --profile ha
deploy *args:
    deploy/deploy up "$@"

# Remove the release; --cluster also removes the kind cluster.
deploy-down *args:
    deploy/deploy down "$@"

# Show pods, restarts and the release.
deploy-status:
    deploy/deploy status

# Forward the ports of the lab in the cluster to this machine, until Ctrl-C.
forward:
    deploy/deploy forward

# Run the lab in containers without Kubernetes: build the images, start, wait until all are healthy.
compose-up *args:
    deploy/deploy compose up --detach --wait "$@"

# Stop the containers; --volumes deletes the data too.
compose-down *args:
    deploy/deploy compose down "$@"

# Build all images.
images:
    deploy/deploy images

# Known vulnerabilities in programs and images, with grype where it is installed: just scan; just scan sbom
scan *args:
    tools/scan.sh "$@"

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
    # Links out of docs/ go to the repository instead.
    sed -i.bak 's#](\.\./#](https://github.com/sre-lab/sre-lab/blob/main/#g' target/book-src/*.md
    sed -i.bak 's#](\.\./\.\./#](https://github.com/sre-lab/sre-lab/blob/main/#g' target/book-src/*/*.md
    find target/book-src -name '*.bak' -delete
    MDBOOK_BOOK__SRC=target/book-src mdbook build

# Format everything.
fmt:
    cargo fmt --all
