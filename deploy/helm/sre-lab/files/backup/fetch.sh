#!/bin/sh
# Downloads what restores the moment RESTORE_TO (`latest`, or such as 2026-03-01T10:15:00Z) into /work: a backup that ended before
# it, and the write-ahead log after that. RESTORE_FROM is the server's number, or `only`.
# shellcheck source=s3.sh
. /scripts/s3.sh

backups /work

case $RESTORE_TO in
    latest) before=99999999T999999Z ;;
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z) before=$(echo "$RESTORE_TO" | tr -d :-) ;;
    *) fail "$RESTORE_TO is not a moment: expected latest, or such as 2026-03-01T10:15:00Z" ;;
esac
line=$(awk -v before="$before" '$1 <= before' /work/backups | tail -n 1)
[ -n "$line" ] || fail "no backup ended before $RESTORE_TO; the oldest one ended at $(sed 's/ .*//; 1q' /work/backups)"
stamp=${line% *}
from=${line#* }
echo "backup $stamp of the server $system"

mkdir -p /work/copy /work/wal
for file in base.tar.gz backup_manifest; do
    get "$system/$stamp/$file" "/work/copy/$file" || fail "$file of the backup $stamp is gone"
done
get "$system/wal/head" /work/head || fail "nothing of the write-ahead log was archived"
head=$(cat /work/head)

timeline=2
while [ "$timeline" -le "$(timeline_of "$head")" ]; do
    history=$(printf '%08X.history' "$timeline")
    ! get "$system/wal/$history.gz" /work/part || gunzip -c </work/part >"/work/wal/$history"
    timeline=$((timeline + 1))
done

# segments NUMBER: on every timeline that may have it. False if none has.
segments() {
    found=''
    timeline=$(timeline_of "$from")
    while [ "$timeline" -le "$(timeline_of "$head")" ]; do
        name=$(segment "$timeline" "$1")
        if get "$system/wal/$name.gz" /work/part || get "$system/wal/$name.partial.gz" /work/part; then
            gunzip -c </work/part >"/work/wal/$name"
            found=yes
        fi
        timeline=$((timeline + 1))
    done
    [ -n "$found" ]
}
number=$(number_of "$from")
while [ "$number" -le "$(number_of "$head")" ]; do
    if ! segments "$number"; then
        # A moment before the gap can still be restored; PostgreSQL refuses one after it.
        [ "$RESTORE_TO" != latest ] || fail "WAL is missing after backup $stamp: $name; the archive continues to $head. Name a moment before it."
        break
    fi
    number=$((number + 1))
done
rm -f /work/part
echo "write-ahead log up to $(find /work/wal -type f | sort | tail -n 1 | sed 's|.*/||')"
