#!/bin/sh
# Checks of values.postgresBackup, for the check `chart`, which sources this file.
# shellcheck disable=SC2154 # $bin and $work are set there
set -eu

# The backups of options.yaml: what they are made of, who may reach whom, that data and archive are restored where they are used, and
# that there is no restore for what has no volume.
check_backups() {
    for part in postgres-archive postgres-backup postgres-restore; do
        rendered "$work/options.yaml" NetworkPolicy seaweedfs | grep -q "app.kubernetes.io/name: $part\$" || die "$part may not go to the chart's object store"
        rendered "$work/options.yaml" NetworkPolicy "$part" | grep -q 'port: 9000 }' || die "$part may not go to the object store that was set"
        rendered "$work/options.yaml" ServiceAccount "$part" | grep -q . || die "$part has no account"
    done
    rendered "$work/options.yaml" NetworkPolicy postgres | grep -q 'app.kubernetes.io/name: postgres-archive$' || die "the archive may not reach PostgreSQL"
    rendered "$work/options.yaml" NetworkPolicy control-room | grep -q 'app.kubernetes.io/name: postgres-backup$' || die "backups may not ask the control room for its file"
    rendered "$work/options.yaml" CronJob postgres-restore >"$work/restore"
    grep -q '^  suspend: true$' "$work/restore" || die "restores would start by themselves"
    grep -q 'claimName: data-postgres-0 }' "$work/restore" || die "a restore is not beside the data"
    [ "$(grep -c 'value: latest }' "$work/restore") $(grep -c 'value: only }' "$work/restore")" = "2 1" ] || die "deploy/deploy restore would not find what it sets"
    rendered "$work/options.yaml" StatefulSet postgres >"$work/postgres"
    grep -q 'command: \[sh, /scripts/swap.sh\]' "$work/postgres" || die "nothing puts restored data in place"
    grep -q 'max_slot_wal_keep_size=' "$work/postgres" || die "an archive that stands still fills the volume of PostgreSQL"
    [ -z "$(rendered "$work/options.yaml" CronJob control-room-restore)" ] || die "a control room without a volume has a restore"
    backups() {
        render --set postgresBackup.enabled=true,postgresBackup.password=example,postgresBackup.s3.endpoint=http://objects:9000 \
            --set postgresBackup.s3.bucket=backups,postgresBackup.s3.secret=backup-account "$@" >"$work/backups.yaml"
    }
    backups --set controlRoom.storage.size=1Gi,postgres.storage.size=
    valid "$work/backups.yaml"
    "$bin/manifests" podsecurity "$work/backups.yaml"
    rendered "$work/backups.yaml" CronJob control-room-restore | grep -q 'claimName: data-control-room-0 }' || die "the control room's file is not restored to its volume"
    [ -z "$(rendered "$work/backups.yaml" CronJob postgres-restore)" ] || die "a PostgreSQL without a volume has a restore"
    ! rendered "$work/backups.yaml" StatefulSet postgres | grep -q swap || die "a PostgreSQL without a volume waits for restored data"
    backups --set controlRoom.enabled=false
    ! grep -q "name: ROOM_URL" "$work/backups.yaml" || die "backups ask a control room that does not run"
}
