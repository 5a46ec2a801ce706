#!/bin/sh
# Functions for verify.sh and recover.sh: a restored server, which listens on a socket in /work only.
set -eu

ask() { psql -qAtX -v ON_ERROR_STOP=1 -h /work -U lab -d "$1" -c "$2"; }

# serve FOLDER: starts it, and returns when it accepts connections, which is after recovery.
serve() {
    echo 'local all all trust' >/work/hba
    pg_ctl start --wait --silent -D "$1" -l /work/log \
        -o "-c listen_addresses= -c unix_socket_directories=/work -c hba_file=/work/hba -c fsync=off" \
        -o "-c dynamic_shared_memory_type=mmap -c shared_buffers=16MB" || { cat /work/log; exit 1; }
    until ask postgres 'SELECT 1' >/dev/null 2>&1; do
        pg_ctl status -D "$1" >/dev/null || { cat /work/log; exit 1; }
        sleep 1
    done
}

# What holds at any moment, and every table and index.
check() {
    for database in users orders fulfillment; do
        tables=$(ask "$database" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        [ "$tables" -gt 0 ] || { echo "$database has no tables"; exit 1; }
    done
    ask fulfillment 'SELECT order_id::text COLLATE "C" FROM payments ORDER BY 1' >/work/paid
    ask orders 'SELECT id::text COLLATE "C" FROM orders ORDER BY 1' >/work/ordered
    lost=$(comm -23 /work/paid /work/ordered | wc -l)
    [ "$lost" -eq 0 ] || { echo "$lost payments have no order"; exit 1; }
    pg_amcheck --host=/work --username=lab --no-password --heapallindexed --install-missing \
        --database=users --database=orders --database=fulfillment
    for database in users orders fulfillment; do
        ask "$database" 'DROP EXTENSION amcheck'
    done
    echo "restored and checked: $(wc -l </work/ordered) orders, $(wc -l </work/paid) payments"
}
