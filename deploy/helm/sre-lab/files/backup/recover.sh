#!/bin/sh
# Restores beside the server's data, on the same volume, and checks the result. Nothing is replaced: swap.sh does that when the pod
# of PostgreSQL starts again. Needs RESTORE_TO, and LAB_PASSWORD, the password of the role `lab` from now on.
# shellcheck source=check.sh
. /scripts/check.sh

volume=/var/lib/postgresql/data
restored=$volume/restored
rm -rf "$volume/restored.ready" "$restored"
mkdir -m 0700 "$restored"
tar -xzf /work/copy/base.tar.gz -C "$restored"
cp /work/copy/backup_manifest "$restored/"
pg_verifybackup --quiet "$restored"

cp "$restored/postgresql.auto.conf" /work/auto.conf
cat >>"$restored/postgresql.auto.conf" <<EOF
restore_command = 'cp /work/wal/%f "%p"'
recovery_target_action = 'promote'
hot_standby = off
EOF
# As 2026-03-01 10:15:00+00: a server that starts does not know the letter Z yet.
[ "$RESTORE_TO" = latest ] || echo "recovery_target_time = '$(echo "$RESTORE_TO" | sed 's/T/ /; s/Z$/+00/')'" >>"$restored/postgresql.auto.conf"
touch "$restored/recovery.signal"
serve "$restored"
check
# A namespace that was recreated has another secret.
psql -qX -v ON_ERROR_STOP=1 -h /work -U lab -d postgres <<'EOF'
SET log_min_duration_statement = -1;
SET log_statement = 'none';
\getenv password LAB_PASSWORD
ALTER ROLE lab PASSWORD :'password';
EOF
pg_ctl stop --wait --silent -D "$restored" -m fast
grep 'last completed transaction' /work/log || :
cp /work/auto.conf "$restored/postgresql.auto.conf"
# It ran without fsync.
sync
touch "$volume/restored.ready"
sync
echo "ready: PostgreSQL uses it when its pod starts again"
