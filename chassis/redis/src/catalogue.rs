//! Faults of the cache.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, params,
    params::{KIB, MIB, MINUTE, bytes, choice, count, duration},
    spec::{process, work},
};

params! {
    /// Parameters of `cache-latency`.
    pub struct CacheLatency {
        /// time added to each operation
        delay: Duration = duration("50ms", Duration::ZERO, MINUTE),
    }

    /// Parameters of `cache-stampede`.
    pub struct CacheStampede {
        /// time between two expiries
        interval: Duration = duration("5s", Duration::from_millis(100), MINUTE),
        /// whether single-flight still works
        coalesce: bool = choice("off"),
    }

    /// Parameters of `cache-hot-key`.
    pub struct CacheHotKey {
        /// reads per second
        rps: u64 = count("2000", 1, 20_000),
        /// size of the entry
        size: u64 = bytes("64KiB", KIB, MIB),
    }

    /// Parameters of `cache-growth`.
    pub struct CacheGrowth {
        /// where it stops
        size: u64 = bytes("32MiB", MIB, 256 * MIB),
        /// written every 100 ms
        step: u64 = bytes("1MiB", KIB, 16 * MIB),
    }
}

catalogue! {
    /// `cache-down`: the cache cannot be reached.
    pub const CACHE_DOWN: Fault = work(
        "cache-down",
        "Cache operations fail as with a refused connection.",
        "`cache_errors_total` rises, hits fall to nothing, `database_query_duration_seconds_count` takes all reads; \
         `x-cache: bypass`.",
    );

    /// `cache-latency`: the cache is slow.
    pub const CACHE_LATENCY: Fault<CacheLatency> = work(
        "cache-latency",
        "Cache operations take longer; past the cache's deadline callers continue without it.",
        "`cache_operation_duration_seconds` rises; past the deadline `cache_errors_total` and reads at the origin.",
    );

    /// `cache-stampede`: all entries expire at once.
    pub const CACHE_STAMPEDE: Fault<CacheStampede> = process(
        "cache-stampede",
        "Every `interval` all entries of the service are removed at once. With `coalesce=off` concurrent misses of one key are \
         no longer joined either. Any `rate` above 0 counts in full.",
        "Waves in `cache_misses_total` and `cache_origin_reads_total`, hit ratio like a saw, `database_connections_active` and \
         latency peaks with the same period; `cache_coalesced_total` stands still with `coalesce=off`.",
    );

    /// `cache-stale`: the cache serves what is old.
    pub const CACHE_STALE: Fault = work(
        "cache-stale",
        "Changes no longer reach the cache and its entries no longer expire: removals and overwrites are acknowledged and \
         not done, and what is there counts as fresh, also beyond its TTL.",
        "No error and no latency: who reads gets the old value after a change, with `x-cache: hit`.",
    )
    .ends("What is older than its TTL is read again at once; the rest stays until its TTL or the next change.");

    /// `cache-hot-key`: one key takes the cache's time.
    pub const CACHE_HOT_KEY: Fault<CacheHotKey> = process(
        "cache-hot-key",
        "One entry of the service, made large by an attachment, is really read from the cache `rps` times a second. Begins \
         with the first entry. `rate` is the share of that.",
        "Redis's CPU and network rise (`instantaneous_ops_per_sec`, `redis-cli --hotkeys`), `cache_operation_duration_seconds` \
         of all keys with it.",
    );

    /// `cache-growth`: the cache fills up.
    pub const CACHE_GROWTH: Fault<CacheGrowth> = process(
        "cache-growth",
        "Entries of 16 KiB that are kept for an hour are really written, `step` every 100 ms up to `size`. They are copies \
         of a real one under ids that nobody asks for, so it begins with the first entry. `rate` is the share of `size`.",
        "Redis's `used_memory` and key count rise; with a memory limit evictions, and with them misses.",
    )
    .ends("The entries are removed at the end; those of a process that was killed expire within the hour.");
}
