#!/bin/sh
# Uploads what receive.sh has received, every WAL_EVERY seconds, and deletes complete segments here once they are there. The
# segment that is being written too: otherwise a disaster would cost up to 16 MiB of orders. /tmp/shipped says when it last worked.
# shellcheck source=s3.sh
. /scripts/s3.sh

# send FILE KEY: compressed, unless that is there already. False if the file was renamed meanwhile, or nothing is there.
sent=''
send() {
    gzip -c <"$1" >/tmp/part 2>/dev/null || return 1
    now="$2 $(cksum </tmp/part)"
    [ "$now" != "$sent" ] || return 0
    put /tmp/part "$2" || { failed=yes; return 1; }
    sent=$now
}

# head SYSTEM SEGMENT: the newest one that the archive has.
told=''
head() {
    [ "$1 $2" != "$told" ] || return 0
    echo "$2" >/tmp/head
    if put /tmp/head "$1/wal/head"; then told="$1 $2"; else failed=yes; fi
}

ship() {
    for file in /wal/*/*; do
        [ -f "$file" ] || continue
        system=$(basename "$(dirname "$file")")
        name=$(basename "$file")
        segment=${name%%.*}
        case $name in
            *.tmp) ;;
            *.partial) send "$file" "$system/wal/$name.gz" && head "$system" "$segment" ;;
            *.cut | *.history) send "$file" "$system/wal/${name%.cut}.gz" && rm "$file" ;;
            *)
                if send "$file" "$system/wal/$name.gz"; then
                    head "$system" "$segment"
                    rm "$file"
                    remove "$system/wal/$name.partial.gz" || failed=yes
                fi
                ;;
        esac
    done
    return 0
}

date +%s >/tmp/shipped
while :; do
    failed=''
    ship
    [ -n "$failed" ] || date +%s >/tmp/shipped
    sleep "$WAL_EVERY"
done
