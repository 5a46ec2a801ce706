#!/bin/sh
# Switches a fault on in one pod of order-api, for one user only; checks that this user is affected and others are not; ends it.
# Needs ORDER_API_PODS, ORDER_API_PORT and ADMIN_PORT: a name that resolves to the pods, and their two ports. FAULTS_TOKEN if the
# switch is guarded. Leaves nothing behind: the fault is for a user that does not exist, and expires by itself.
set -eu

fail() { echo "FAILED: $*"; exit 1; }

# One pod, by address, for the whole test: the name may resolve to a different one next time.
pod=$(curl --silent --show-error --max-time 5 --retry 5 --retry-connrefused --output /dev/null \
    --write-out '%{remote_ip}' "http://$ORDER_API_PODS:$ADMIN_PORT/livez")
echo "pod: $pod"
switch="http://$pod:$ADMIN_PORT/faults/http-error"

status() { curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$@"; }
change() { curl --silent --show-error --fail-with-body --max-time 5 -H "authorization: Bearer ${FAULTS_TOKEN-}" "$@"; }
orders() { status -H "baggage: user.id=$1" "http://$pod:$ORDER_API_PORT/orders?limit=1"; }

before=$(orders helm-test)
[ "$before" = 200 ] || fail "before the fault, order-api returned $before; expected 200"
change -X PUT "$switch?rate=1&ttl=1m&user_id=helm-test" >/dev/null || fail "the switch refused"
during=$(orders helm-test)
others=$(orders someone-else)
change -X DELETE "$switch" >/dev/null || fail "the switch refused to end the fault; it expires within a minute"
after=$(orders helm-test)

echo "before: $before  during: $during  others meanwhile: $others  after: $after"
[ "$during" = 500 ] || fail "with the fault, order-api returned $during; expected 500"
[ "$others" = 200 ] || fail "with the fault for one user, others got $others; expected 200"
[ "$after" = 200 ] || fail "after the fault, order-api returned $after; expected 200"
