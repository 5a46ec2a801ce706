#!/bin/sh
# Places an order and waits until it is settled: through the edge, both services, both databases, the cache and the broker.
# Needs ORDER_API and USER_SERVICE (base URLs). Exits with 0 if the order was settled within 60 s.
set -eu

fail() { echo "FAILED: $*"; exit 1; }

ask() { curl --silent --show-error --max-time 5 --retry 5 --retry-connrefused "$@"; }

user=$(ask "$USER_SERVICE/users?limit=1" | sed -n 's/.*"id":"\([0-9a-f-]*\)".*/\1/p')
[ -n "$user" ] || fail "user-service returned no user"
echo "user:  $user"

answer=$(ask --include "$ORDER_API/orders" -H 'content-type: application/json' \
    -d "{\"user_id\":\"$user\",\"items\":[{\"sku\":\"TEA-1\",\"quantity\":2,\"unit_price_cents\":1250}]}")
case $answer in
    HTTP/*' 202'*) ;;
    *) fail "order-api did not accept the order: $answer" ;;
esac
order=$(printf '%s' "$answer" | tr -d '\r' | sed -n 's/^[Ll]ocation: *//p')
[ -n "$order" ] || fail "the response has no Location: $answer"
echo "order: $order"

# order-api has just read the user, so the cache has it.
case $(ask --output /dev/null --dump-header - "$USER_SERVICE/users/$user") in
    *'x-cache: hit'*) ;;
    *) fail "user-service does not find the user in the cache" ;;
esac

deadline=$(($(date +%s) + 60))
while [ "$(date +%s)" -lt "$deadline" ]; do
    state=$(ask "$ORDER_API$order")
    case $state in
        *'"status":"completed"'* | *'"status":"rejected"'*)
            echo "settled: $state"
            exit 0
            ;;
    esac
    sleep 1
done
fail "the order was not settled within 60 s: $state"
