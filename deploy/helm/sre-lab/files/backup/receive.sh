#!/bin/sh
# Receives the write-ahead log into a folder of /wal, as it is written. Through a slot, so that the server keeps what was not
# received, up to max_slot_wal_keep_size. Needs PGHOST, PGUSER, PGPASSWORD.
set -eu

receiver=''
trap '[ -z "$receiver" ] || kill -INT "$receiver" 2>/dev/null || :; wait; exit 0' TERM INT

while :; do
    # Another server may answer now: one that was recreated has another number.
    if ! line=$(psql -wqAtX "dbname=postgres replication=true" -c IDENTIFY_SYSTEM); then
        sleep 2
        continue
    fi
    folder=/wal/${line%%|*}
    mkdir -p "$folder"
    # Keeps the log from the last checkpoint on. A slot that pg_receivewal makes keeps nothing before its stream begins: a backup that
    # is made in between, as right after a restore, would not have its log in the archive. No failure if the slot is there.
    psql -wqAtX "dbname=postgres replication=true" -c 'CREATE_REPLICATION_SLOT archive PHYSICAL RESERVE_WAL' >/dev/null 2>&1 || :
    pg_receivewal --no-password --no-loop --slot=archive --directory="$folder" >/tmp/said 2>&1 &
    receiver=$!
    wait "$receiver" || :
    cat /tmp/said
    # The server does not have what follows the last received WAL: it removed it, or was restored to an earlier moment.
    # The archive continues from where the server is now. Later moments can be restored only from the next backup on.
    if grep -qE 'already been removed|cannot read from replication slot|no longer|invalidated|not in this server|ahead of the' /tmp/said; then
        echo "the archive has a gap here; moments after it can be restored from the next backup on"
        pg_receivewal --no-password --no-loop --slot=archive --drop-slot || :
        # With another name it is uploaded, but not continued.
        for file in "$folder"/*; do
            case $file in *.cut | *'/*') ;; *) mv "$file" "$file.cut" ;; esac
        done
    fi
    sleep 1
done
