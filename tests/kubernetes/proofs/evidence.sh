#!/bin/sh
# What a failed proof leaves to find the cause with, for lib.sh, which sources this file. Environment:
#   EVIDENCE   the folder below which it is saved (default target/proofs)
# Nothing in it may fail a proof, or hide that one has failed.
# shellcheck disable=SC2034,SC2154 # lib.sh uses and sets these variables
set -eu

remembered=''

# The nodes of the cluster if they are containers of an engine that is here, as those of kind are.
nodes() {
    case $context in kind-*) ;; *) return 0 ;; esac
    ! has "$docker" || kube get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'
}

# cpu_of NODE: seconds of CPU that each of its processes has used, its id, and its program.
cpu_of() { "$docker" exec "$1" ps -eo cputimes=,pid=,comm=; }

# For a node: gives the log of each container a second name, once a second. So it outlives its pod, and nothing is
# copied. It ends when the folder is gone.
# shellcheck disable=SC2016 # of the node's shell
keeper='rm -rf /var/log/kept
mkdir /var/log/kept
while [ -e /var/log/kept ]; do
    cp -aln -t /var/log/kept "/var/log/pods/$1"_* 2>/dev/null
    sleep 1
done'

# What a failure is compared with; and from now on, logs of pods are kept. A proof calls it before its first change.
remember() {
    remembered=yes
    load_page "$work/began" 2>/dev/null || rm -f "$work/began"
    for of_node in $(nodes); do
        cpu_of "$of_node" >"$work/cpu.$of_node" 2>/dev/null || :
        "$docker" exec --detach "$of_node" sh -c "$keeper" keeper "$namespace" 2>/dev/null || :
    done
}

forget() {
    for of_node in $(nodes); do
        # At once, or the keeper would write into what is being removed.
        "$docker" exec "$of_node" sh -c 'mv /var/log/kept /var/log/gone; rm -rf /var/log/gone' \
            2>/dev/null || :
    done
}

indented() { sed 's/^/    /'; }
most_frequent() { sort | uniq -c | sort -rn | head -n "$1"; }
# JSON lines of a log, whatever the container runtime has put before them.
json_lines() { sed 's/^[^{]*//' | jq -rR "fromjson? | $1" 2>/dev/null; }

# requests_between BEFORE AFTER: how many more requests of the load have ended in each way, by route and outcome.
requests_between() {
    awk '!/^load_requests_total\{/ { next }
        FILENAME == ARGV[1] { was[$1] = $2; next }
        $2 > was[$1] { print $2 - was[$1], substr($1, 20) }' "$1" "$2" | sort -k 2
}

# cpu_between BEFORE AFTER: seconds of CPU of each program in between, the most first.
cpu_between() {
    awk 'FILENAME == ARGV[1] { was[$2 $3] = $1; next }
        { more[$3] += $1 - was[$2 $3] }
        END { for (program in more) if (more[program] > 0) print more[program], program }' "$1" "$2" \
        | sort -rn
}

# The record of each client: the load generator's, and that of the pod that places orders, if it is there.
evidence_of_clients() {
    since=$work/before
    [ -s "$since" ] || since=$work/began
    [ -e "$since" ] || since=/dev/null
    if load_page "$saved/load.metrics" 2>/dev/null; then
        say "requests of the load since the change began, by route and outcome:"
        requests_between "$since" "$saved/load.metrics" | tee "$saved/requests" | indented
    else
        say "the load generator does not say what it has counted"
    fi
    kube logs deployment/load >"$saved/load.log" 2>&1
    say "failures that it logged, by route and status:"
    json_lines 'select(.message | test("^a request (failed|got no answer)$"))
        | "\(.operation) \(.status // .error // "no answer") \(.title // "")"' <"$saved/load.log" \
        | most_frequent 20 | indented
    kube get pod placer >/dev/null 2>&1 || return 0
    kube logs placer >"$saved/placer.log" 2>&1
    say "answers to the pod that places orders, by status:"
    cut -d' ' -f1 "$saved/placer.log" | most_frequent 20 | indented
}

# Logs, also of pods that are gone if the nodes kept them, and the metrics of each pod of the services.
evidence_of_pods() {
    kube get pods --output wide >"$saved/pods" 2>&1
    kube get events --sort-by .lastTimestamp >"$saved/events" 2>&1
    mkdir -p "$saved/logs" "$saved/metrics"
    for of_node in $(nodes); do
        "$docker" cp "$of_node:/var/log/kept" "$saved/logs/$of_node" >/dev/null 2>&1 || :
    done
    if [ -z "$(ls "$saved/logs")" ]; then
        for of_pod in $(kube get pods -o jsonpath='{.items[*].metadata.name}'); do
            kube logs "$of_pod" --all-containers --prefix >"$saved/logs/$of_pod.log" 2>&1
        done
    fi
    for of_service in $services; do
        of_port=$(admin_port "$of_service" 2>/dev/null)
        for of_pod in $(pods "$of_service"); do
            fetch "pod/$of_pod" "$of_port" /metrics >"$saved/metrics/$of_pod" 2>/dev/null || :
        done
    done
    say "warnings and errors that the services logged:"
    find "$saved/logs" -type f -exec cat {} + \
        | json_lines 'select(.level == "WARN" or .level == "ERROR")
            | "\(.service // "") \(.level) \(.message)"' | most_frequent 15 | indented
}

# Who had the processors.
evidence_of_nodes() {
    [ ! -r /proc/loadavg ] || say "load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
    for of_node in $(nodes); do
        cpu_of "$of_node" >"$saved/cpu.$of_node.now" 2>/dev/null || continue
        # Not every proof remembers a beginning.
        [ -s "$work/cpu.$of_node" ] || continue
        cpu_between "$work/cpu.$of_node" "$saved/cpu.$of_node.now" >"$saved/cpu.$of_node"
        say "seconds of CPU on $of_node since the proof began:" \
            "$(head -n 8 "$saved/cpu.$of_node" | awk '{ printf "%s%s %s", comma, $2, $1; comma = ", " }')"
    done
}

# Saves it, and prints what can be read at a glance.
evidence() {
    saved=${EVIDENCE:-target/proofs}/$script-$(date -u +%Y%m%dT%H%M%SZ)
    mkdir -p "$saved" || return 0
    evidence_of_clients
    evidence_of_pods
    evidence_of_nodes
    say "logs of all pods, their metrics, events and these figures: $saved"
}
