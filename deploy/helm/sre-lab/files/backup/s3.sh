#!/bin/sh
# The object store of the backups, for the scripts beside this one. Needs S3_ENDPOINT, S3_BUCKET, S3_PREFIX, AWS_REGION,
# AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
#
# Under the prefix: `systems`, the servers that have backups; below each, `backups` (one line for each: when it ended, and its
# first segment of the write-ahead log), BACKUP/ with its files, and `wal/` with the archive, whose newest segment `wal/head` names.
set -eu

fail() { echo "$*" >&2; exit 1; }

# s3 KEY [ARGUMENTS of curl]. Credentials on standard input, and not on a command line.
s3() {
    key=$1
    shift
    printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" |
        curl --config - --fail-with-body --silent --show-error --max-time 600 --retry 3 \
            --aws-sigv4 "aws:amz:$AWS_REGION:s3" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" \
            "$@" "$S3_ENDPOINT/$S3_BUCKET/$S3_PREFIX/$key"
}

# put FILE KEY
put() { s3 "$2" --upload-file "$1"; }

# get KEY FILE: false if there is no such object; any other failure ends the script.
get() {
    status=$(s3 "$1" --output "$2" --write-out '%{http_code}' 2>/dev/null) && return 0
    rm -f "$2"
    [ "$status" = 404 ] && return 1
    fail "the object store answers $status to a request for $1"
}

# remove KEY: no failure if it is not there.
remove() { s3 "$1" --request DELETE; }

# has KEY
has() { s3 "$1" --head --output /dev/null 2>/dev/null; }

# backups FOLDER: $system, the server RESTORE_FROM or the only one that has backups, and its list of them as FOLDER/backups.
backups() {
    get systems "$1/systems" || fail "there is no backup in s3://$S3_BUCKET/$S3_PREFIX"
    system=$RESTORE_FROM
    if [ "$system" = only ]; then
        [ "$(wc -l <"$1/systems")" -eq 1 ] ||
            fail "there are backups of several servers, so say of which: $(tr '\n' ' ' <"$1/systems")"
        system=$(cat "$1/systems")
    fi
    get "$system/backups" "$1/backups" || fail "there is no backup of the server $system"
}

# segment TIMELINE NUMBER: the name of a segment, of 16 MiB.
segment() { printf '%08X%08X%08X\n' "$1" "$(($2 / 256))" "$(($2 % 256))"; }

# timeline_of NAME, number_of NAME: of a segment.
timeline_of() { echo $((0x${1%????????????????})); }
number_of() {
    low=${1#????????????????}
    high=${1#????????}
    echo $((0x${high%????????} * 256 + 0x$low))
}
