#!/bin/sh
# Copies the server into /work/copy: one position in the write-ahead log for all three databases. Needs PGHOST, PGUSER, PGPASSWORD.
set -eu

line=$(psql -wqAtX "dbname=postgres replication=true" -c IDENTIFY_SYSTEM)
echo "${line%%|*}" >/work/system
pg_basebackup --no-password --pgdata=/work/copy --format=tar --gzip --wal-method=fetch --checkpoint=fast
date -u +%Y%m%dT%H%M%SZ >/work/stamp
