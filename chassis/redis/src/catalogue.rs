//! Faults of the cache.

use chassis_faults::{
    FaultSpec, Reach,
    spec::{KIB, MIB, MINUTE, bytes, count, duration, process, word, work},
};
use std::time::Duration;

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] =
    &[&CACHE_DOWN, &CACHE_LATENCY, &CACHE_STAMPEDE, &CACHE_STALE, &CACHE_HOT_KEY, &CACHE_GROWTH];

/// `cache-down`: the cache cannot be reached.
pub const CACHE_DOWN: FaultSpec = work(
    "cache-down",
    "Cache operations fail as with a refused connection.",
    &[],
    "`cache_errors_total` rises, hits fall to nothing, `database_query_duration_seconds_count` takes all reads; \
     `x-cache: bypass`.",
);

/// `cache-latency`: the cache is slow.
pub const CACHE_LATENCY: FaultSpec = work(
    "cache-latency",
    "Cache operations take longer; past the cache's deadline callers continue without it.",
    &[duration("delay", "time added to each operation", "50ms", Duration::ZERO, MINUTE)],
    "`cache_operation_duration_seconds` rises; past the deadline `cache_errors_total` and reads at the origin.",
);

/// `cache-stampede`: all entries expire at once.
pub const CACHE_STAMPEDE: FaultSpec = process(
    "cache-stampede",
    "Every `interval` all entries of the service are removed at once. With `coalesce=off` concurrent misses of one key are \
     no longer joined either. Any `rate` above 0 counts in full.",
    &[
        duration("interval", "time between two expiries", "5s", Duration::from_millis(100), MINUTE),
        word("coalesce", "whether single-flight still works", "off", &["on", "off"]),
    ],
    "Waves in `cache_misses_total` and `cache_origin_reads_total`, hit ratio like a saw, `database_connections_active` and \
     latency peaks with the same period; `cache_coalesced_total` stays flat with `coalesce=off`.",
);

/// `cache-stale`: the cache serves what is old.
pub const CACHE_STALE: FaultSpec = FaultSpec {
    name: "cache-stale",
    summary: "Changes no longer reach the cache and its entries no longer expire: removals and overwrites are acknowledged and \
              not done, and existing entries count as fresh even beyond their TTL.",
    reach: Reach::Work,
    params: &[],
    signals: "No error and no latency: readers get the old value after a change, with `x-cache: hit`.",
    ends: "What is older than its TTL is read from the origin at once; the rest stays until its TTL or the next change.",
    baseline: None,
};

/// `cache-hot-key`: one key takes the cache's time.
pub const CACHE_HOT_KEY: FaultSpec = process(
    "cache-hot-key",
    "One entry of the service, made large by an attachment, is really read from the cache `rps` times per second. Begins \
     with the first entry. `rate` is the share of that.",
    &[
        count("rps", "reads per second", "2000", 1, 20_000),
        bytes("size", "size of the entry", "64KiB", KIB, MIB),
    ],
    "Redis's CPU and network rise (`instantaneous_ops_per_sec`, `redis-cli --hotkeys`), `cache_operation_duration_seconds` \
     of all keys with it.",
);

/// `cache-growth`: the cache fills up.
pub const CACHE_GROWTH: FaultSpec = FaultSpec {
    name: "cache-growth",
    summary: "Entries of 16 KiB that are kept for an hour are really written, `step` every 100 ms up to `size`. They are copies \
              of a real one under ids that are never requested, so it begins with the first entry. `rate` is the share of `size`.",
    reach: Reach::Process,
    params: &[
        bytes("size", "where it stops", "32MiB", MIB, 256 * MIB),
        bytes("step", "written every 100 ms", "1MiB", KIB, 16 * MIB),
    ],
    signals: "Redis's `used_memory` and key count rise; with a memory limit evictions, and with them misses.",
    ends: "The entries are removed at the end; those of a process that was killed expire within the hour.",
    baseline: None,
};
