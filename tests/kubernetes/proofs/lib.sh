#!/bin/sh
# Functions for the proofs in this folder, which source this file. Environment of all of them:
#   CONTEXT    of kubectl and helm (default: the current one)      NAMESPACE, RELEASE  default sre-lab
#   LAB        the `lab` command (default target/release/lab)
#   DOCKER     the client of the engine that has the nodes of kind (default docker)
#   EVIDENCE   where a failed proof saves what happened (default target/proofs)
# Needs kubectl, helm, jq and curl. A proof prints figures, and exits with 1 and a sentence at the first failure, after
# which it says and saves what the cause can be found with (evidence.sh).
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # the proofs use these variables and arguments, and set some
set -eu
# shellcheck source=../lib/common.sh
. "$(dirname -- "$0")/../lib/common.sh"
# shellcheck source=evidence.sh
. "$(dirname -- "$0")/evidence.sh"
cd "$root"
context=${CONTEXT:-$(kubectl config current-context)}
namespace=${NAMESPACE:-sre-lab}
release=${RELEASE:-sre-lab}
chart=deploy/helm/sre-lab
lab=${LAB:-target/release/lab}
docker=${DOCKER:-docker}
work=$(mktemp -d)
started=$(now)
services='edge order-api user-service order-worker'
busy=''

# A proof may have its own clean-up, called `at_end`. What could not be put back is said, and fails a proof that passed otherwise:
# whatever runs next would find another lab than it expects.
at_end() { :; }
unclean=''
not_restored() {
    say "NOT RESTORED: $*" >&2
    unclean=yes
}
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    status=$?
    # Before anything is put back. 130: somebody ended it.
    case $status in 0 | 130) ;; *) evidence || : ;; esac
    [ -z "$remembered" ] || forget || :
    at_end || :
    [ -z "$busy" ] || kube delete pod neighbour --ignore-not-found --now >/dev/null || not_restored "the pod neighbour"
    [ ! -e "$work/forwards" ] || while read -r pid; do kill "$pid" 2>/dev/null || :; done <"$work/forwards"
    rm -rf "$work"
    [ "$status" != 0 ] || [ -z "$unclean" ] || status=1
    [ "$status" != 0 ] || say "passed after $(($(now) - started)) s"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

kube() { kubectl --context "$context" --namespace "$namespace" "$@"; }
helm_in() { without_link_warnings helm --kube-context "$context" --namespace "$namespace" "$@"; }

# The release with the values that it had when the proof saved them in $work/values. An upgrade that was cut off keeps the release
# locked; a rollback ends that.
with_values() { helm_in upgrade "$release" "$chart" --values "$work/values" --wait --timeout 8m "$@"; }
values_again() {
    { with_values || { helm_in rollback "$release" --wait --timeout 8m && with_values; }; } >"$work/again" 2>&1 || { cat "$work/again" >&2; return 1; }
}

test_image() { helm_in get values "$release" --all -o json | jq -r .tests.image; }

# Keeps one core busy until the end: a pod beside PostgreSQL that asks for no CPU and takes what there is.
keep_busy() {
    kube delete pod neighbour --ignore-not-found --now >/dev/null
    node_of_postgres=$(kube get pod postgres-0 -o jsonpath='{.spec.nodeName}')
    sed "s#IMAGE#$(test_image)#; s#NODE#$node_of_postgres#" tests/kubernetes/proofs/neighbour.yaml | kube apply -f - >/dev/null
    busy=yes
    kube wait pod/neighbour --for=condition=Ready --timeout=60s >/dev/null
}

# Saves the metrics of the chart's load generator to a file. From such a file: all requests except those of /risky,
# which fails by design; those of them that succeeded; and those that were never sent.
load_page() { fetch service/load "$(admin_port load)" /metrics >"$1"; }
load_rate() { fetch service/load "$(admin_port load)" "/rate?rps=$1" -X PUT >/dev/null; }
# The rate that the release sets. A pod of the load generator that has just been replaced may not answer yet.
usual_load() {
    usual=$(helm_in get values "$release" --all -o json | jq -r .load.rate)
    for attempt in 1 2 3 4 5 6 7 8; do
        [ "$attempt" = 1 ] || sleep 3
        ! load_rate "$usual" 2>/dev/null || return 0
    done
    not_restored "the load generator keeps the rate of this proof"
}
asked() { echo $(($(metric "$1" load_requests_total) - $(metric "$1" load_requests_total 'operation="risky"'))); }
well() { echo $(($(metric "$1" load_requests_total 'outcome="ok"') - $(metric "$1" load_requests_total 'outcome="ok"' 'operation="risky"'))); }
dropped() { metric "$1" load_dropped_total; }
# A load generator that was started again waits until the shop has settled an order. It takes a rate meanwhile, and follows it then.
load_has_begun() { load_has_asked 1; }
load_has_asked() { load_page "$work/load" && [ "$(asked "$work/load")" -ge "$1" ]; }
# load_asks COUNT: waits for that many more requests of the load generator.
load_asks() {
    load_page "$work/load"
    wait_until 120 "$1 more requests of the load" load_has_asked "$(($(asked "$work/load") + $1))"
}

# A pod that places orders, on a node that is not drained; the orders answered with 202; and the number of refused
# ones.
start_placer() {
    kube delete pod placer --ignore-not-found --now >/dev/null
    sed "s#IMAGE#$(test_image)#; s#RELEASE#$release#" tests/kubernetes/proofs/placer.yaml | kube apply -f - >/dev/null
    kube wait pod/placer --for=condition=Ready --timeout=60s >/dev/null
}
accepted_more_than() { placed >"$work/accepted" && [ "$(wc -l <"$work/accepted")" -gt "$1" ]; }
placed() { kube logs placer | sed -n 's#^202 /orders/##p'; }
refused() { kube logs placer | grep -vc '^202' || :; }

# fetch POD|service/NAME PORT PATH [ARGUMENTS OF curl...]: plain curl, through a separate port-forward.
fetch() {
    target=$1
    port=$2
    path=$3
    shift 3
    said=$(mktemp "$work/forward.XXXXXX")
    kubectl --context "$context" --namespace "$namespace" port-forward "$target" ":$port" >"$said" 2>&1 &
    pid=$!
    echo "$pid" >>"$work/forwards"
    tries=0
    until here=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$said") && [ -n "$here" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then cat "$said" >&2; return 1; fi
        sleep 0.1
    done
    code=0
    curl --silent --show-error --fail-with-body --max-time 10 "$@" "http://127.0.0.1:$here$path" || code=$?
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    return "$code"
}

# Running pods of a part that are not terminating, one name per line.
pods() { kube get pods --selector "app.kubernetes.io/name=$1" -o json | jq -r '.items[] | select(.status.phase == "Running" and .metadata.deletionTimestamp == null) | .metadata.name'; }

admin_port() { kube get service "$1" -o jsonpath='{.spec.ports[?(@.name=="admin")].port}'; }

# metric PAGE NAME [LABELS...]: the sum of the series in a page of metrics that have all of these labels.
metric() {
    page=$1
    name=$2
    shift 2
    grep -E "^$name(\{| )" "$page" | while read -r line; do
        for label in "$@"; do case $line in *"$label"*) ;; *) continue 2 ;; esac; done
        echo "$line"
    done | awk '{ sum += $NF } END { printf "%d\n", sum }'
}

# sql DATABASE QUERY: through psql in PostgreSQL's own pod; fields are separated by a blank.
sql() { kube exec postgres-0 -- sh -c "PGPASSWORD=\$POSTGRES_PASSWORD psql -qAt -F ' ' -h 127.0.0.1 -U lab -d $1 -c \"$2\""; }

# The token of the control room for everyone who may look and act; and, room PATH: what it answers.
room_token() { kube get secret control-room -o jsonpath='{.data.access-token}' | base64 -d; }
room() { fetch service/control-room 8080 "$1" --header "authorization: Bearer $(room_token)"; }

# The value of the only series that a Prometheus query returns, or nothing.
prometheus() { fetch service/prometheus 9090 /api/v1/query --get --data-urlencode "query=$1" | jq -r '.data.result[0].value[1] // empty'; }

# Orders that are settled; and whether they have become more than $before.
settled() { sql orders "SELECT count(*) FROM orders WHERE status <> 'pending'"; }
more_are_settled() { [ "$(settled)" -gt "$before" ]; }

# Every pod of the release is ready, and none is terminating. Pods of jobs are never ready, or not for long: they are left out.
all_ready() {
    kube get pods --selector "app.kubernetes.io/instance=$release" -o json >"$work/pods.json"
    jq -e '[.items[] | select(any(.metadata.ownerReferences[]?; .kind == "Job") | not) | select(.metadata.deletionTimestamp != null or ([.status.conditions[]? | select(.type == "Ready" and .status == "True")] | length) == 0)] as $wait
        | if ($wait | length) > 0 or (.items | length) == 0 then ($wait[].metadata.name | stderr | empty), false else true end' "$work/pods.json"
}

node_of() { kube get pods --selector "app.kubernetes.io/name=$1" -o jsonpath='{.items[*].spec.nodeName}'; }
on_node() { kube get pods --field-selector "spec.nodeName=$1" -o json | jq -r '[.items[].metadata.labels["app.kubernetes.io/name"]] | sort | join(" ")'; }
# The worker without volumes of stores: without theirs, everything that depends on them stops.
storeless_worker() {
    for worker in $(kube get nodes -o json | jq -r '.items[] | select(.metadata.labels | has("node-role.kubernetes.io/control-plane") | not) | .metadata.name'); do
        case " $(node_of postgres) $(node_of redpanda) " in *" $worker "*) ;; *) echo "$worker"; return ;; esac
    done
}
# move_away KIND/NAME...: moves those with a pod on $node, which will be drained or lost, to the other worker.
move_away() {
    for workload in "$@"; do
        on_node "$node" | grep -qw "${workload#*/}" || continue
        kube cordon "$node" >/dev/null
        kube rollout restart "$workload" >/dev/null
        kube rollout status "$workload" --timeout=180s >/dev/null
        kube uncordon "$node" >/dev/null
    done
}
# Gives each worker pods of every service again.
spread_services() {
    for service in $services; do kube rollout restart "deployment/$service" >/dev/null; done
    for service in $services; do kube rollout status "deployment/$service" --timeout=180s >/dev/null; done
    wait_until 120 "all pods ready on both workers" all_ready
}

# Invariants of orders and payments once all is settled, like those of tools/reconcile: every order is settled once,
# with a payment of the matching status and amount; no payment without an order; nothing waiting to be published.
invariants() {
    sql orders "SELECT id, status, total_cents FROM orders ORDER BY id::text COLLATE \\\"C\\\"" >"$work/orders"
    sql fulfillment "SELECT order_id, CASE status WHEN 'declined' THEN 'rejected' ELSE status END, amount_cents FROM payments ORDER BY order_id::text COLLATE \\\"C\\\"" >"$work/payments"
    waiting=$(($(sql orders "SELECT count(*) FROM outbox") + $(sql fulfillment "SELECT count(*) FROM outbox")))
    [ -s "$work/orders" ] || { echo "there are no orders"; return 1; }
    ! grep ' pending ' "$work/orders" || { echo "orders are still pending"; return 1; }
    diff "$work/orders" "$work/payments" >"$work/differences" || { head -5 "$work/differences"; echo "orders and payments differ"; return 1; }
    [ "$waiting" = 0 ] || { echo "$waiting entries are waiting in the outboxes"; return 1; }
}

# Ends the orders of the placer and of the load. Every order of the placer that was answered with 202 exists, and all are settled once.
nothing_is_lost() {
    placed >"$work/accepted"
    refused >"$work/refused"
    kube delete pod placer --now >/dev/null
    load_rate 0
    wait_until 120 "the pipeline settles, and the invariants hold" invariants
    [ "$(wc -l <"$work/accepted")" -gt 100 ] || die "only $(wc -l <"$work/accepted") orders were accepted"
    cut -d' ' -f1 "$work/orders" | sort >"$work/stored"
    sort "$work/accepted" | comm -23 - "$work/stored" >"$work/lost"
    [ ! -s "$work/lost" ] || { head -5 "$work/lost"; die "$(wc -l <"$work/lost") accepted orders are not in the database"; }
    say "$(wc -l <"$work/accepted") orders answered with 202 all exist ($(cat "$work/refused") were refused); $(wc -l <"$work/orders") orders, each settled once: $(cut -d' ' -f2 "$work/orders" | sort | uniq -c | tr -s ' \n' ' ')"
}
