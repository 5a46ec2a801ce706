#!/bin/sh
# Restores the copy into a scratch server, and checks it. A backup that was not restored is not uploaded.
# shellcheck source=check.sh
. /scripts/check.sh

mkdir -m 0700 /work/scratch
tar -xzf /work/copy/base.tar.gz -C /work/scratch
cp /work/copy/backup_manifest /work/scratch/
pg_verifybackup --quiet /work/scratch
serve /work/scratch
check
pg_ctl stop --wait --silent -D /work/scratch -m fast
