#!/bin/sh
# Uploads what was checked, and the control room's file if ROOM_URL says where it is (with ROOM_TOKEN); keeps the newest BACKUP_KEEP.
# Fails if the archive of the write-ahead log has stopped: then moments after this backup could not be restored.
# shellcheck source=s3.sh
. /scripts/s3.sh

system=$(cat /work/system)
stamp=$(cat /work/stamp)
there=$system/$stamp
broken=''

# From the control room itself: SQLite copies the file while it is written.
if [ -n "${ROOM_URL-}" ]; then
    if printf 'header = "Authorization: Bearer %s"\n' "$ROOM_TOKEN" |
        curl --config - --fail --silent --show-error --max-time 120 --output /work/room.db "$ROOM_URL/api/v1/backup"; then
        gzip -c </work/room.db >/work/copy/room.db.gz
    else
        broken="the control room did not give its file; "
    fi
fi

# The manifest last: a backup without one did not end.
for file in base.tar.gz room.db.gz backup_manifest; do
    [ ! -e "/work/copy/$file" ] || put "/work/copy/$file" "$there/$file"
done

# Its write-ahead log: timeline, and the first and the last byte, as the manifest says.
# shellcheck disable=SC2046 # five words
set -- $(sed -n 's|.*"Timeline": \([0-9]*\), "Start-LSN": "\([0-9A-F]*\)/\([0-9A-F]*\)", "End-LSN": "\([0-9A-F]*\)/\([0-9A-F]*\)".*|\1 \2 \3 \4 \5|p' \
    /work/copy/backup_manifest | tail -n 1)
[ $# -eq 5 ] || fail "the manifest of $there has no range of the write-ahead log"
first=$(segment "$1" $(( ((0x$2 << 32) + 0x$3) >> 24 )))
last=$(segment "$1" $(( ((0x$4 << 32) + 0x$5 - 1) >> 24 )))

get systems /work/systems || : >/work/systems
if ! grep -qx "$system" /work/systems; then
    echo "$system" >>/work/systems
    put /work/systems systems
fi
get "$system/backups" /work/backups || : >/work/backups
echo "$stamp $first" >>/work/backups

# prune: the oldest backup, and the write-ahead log that only it needs.
prune() {
    read -r old from
    read -r _ next
    for file in backup_manifest base.tar.gz room.db.gz; do remove "$system/$old/$file"; done
    number=$(number_of "$from")
    while [ "$number" -lt "$(number_of "$next")" ]; do
        timeline=$(timeline_of "$from")
        while [ "$timeline" -le "$(timeline_of "$next")" ]; do
            remove "$system/wal/$(segment "$timeline" "$number").gz"
            timeline=$((timeline + 1))
        done
        number=$((number + 1))
    done
}
while [ "$(wc -l </work/backups)" -gt "$BACKUP_KEEP" ]; do
    prune </work/backups
    sed 1d /work/backups >/work/kept
    mv /work/kept /work/backups
done
put /work/backups "$system/backups"
echo "uploaded to s3://$S3_BUCKET/$S3_PREFIX/$there"

waited=0
until has "$system/wal/$last.gz"; do
    [ "$waited" -lt 120 ] || fail "${broken}the archive does not have $last, the end of this backup: see the pod postgres-archive-0"
    sleep 5
    waited=$((waited + 5))
done
[ -z "$broken" ] || fail "${broken}the databases are backed up"
