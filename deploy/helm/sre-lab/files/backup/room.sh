#!/bin/sh
# Puts the control room's file of the newest backup that has one in place. The control room must not run. RESTORE_FROM as in fetch.sh.
# shellcheck source=s3.sh
. /scripts/s3.sh

backups /tmp
sed 's/ .*//' /tmp/backups | sort -r >/tmp/stamps
while read -r stamp; do
    if get "$system/$stamp/room.db.gz" /data/room.db.gz; then
        gunzip -c </data/room.db.gz >/data/room.db.new
        # With its log: that belongs to the old file, and would be applied to the new one.
        for ending in '' -wal -shm; do
            rm -f "/data/room.db.before$ending"
            [ ! -e "/data/room.db$ending" ] || mv "/data/room.db$ending" "/data/room.db.before$ending"
        done
        mv /data/room.db.new /data/room.db
        rm /data/room.db.gz
        sync
        echo "the file of the backup $stamp is in place"
        exit 0
    fi
done </tmp/stamps
fail "no backup of the server $system has the control room's file"
