//! Every fault of the lab, as data. A service lists those that it has; the chassis implements them.

use std::time::Duration;

use super::{FaultSpec, ParamKind, ParamSpec, Reach};

mod broker;
mod business;
mod cache;
mod database;
mod http;
mod observability;
mod runtime;
mod upstream;

pub use broker::*;
pub use business::*;
pub use cache::*;
pub use database::*;
pub use http::*;
pub use observability::*;
pub use runtime::*;
pub use upstream::*;

/// What most faults leave behind.
const NOTHING: &str = "Nothing stays behind.";

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] = &[
    &RISKY,
    &HTTP_ERROR,
    &HTTP_LATENCY,
    &HTTP_HANG,
    &HTTP_ABORT,
    &UPSTREAM_ERROR,
    &UPSTREAM_LATENCY,
    &UPSTREAM_UNREACHABLE,
    &DB_LATENCY,
    &DB_ERROR,
    &DB_POOL_EXHAUSTION,
    &DB_LOCK,
    &DB_SLOW_QUERY,
    &DB_DEADLOCK,
    &CACHE_DOWN,
    &CACHE_LATENCY,
    &CACHE_STAMPEDE,
    &CACHE_STALE,
    &CACHE_HOT_KEY,
    &CACHE_GROWTH,
    &PUBLISH_ERROR,
    &PUBLISH_DUPLICATE,
    &QUEUE_FLOOD,
    &POISON_MESSAGE,
    &CONSUMER_SLOW,
    &CONSUMER_PAUSE,
    &REBALANCE_STORM,
    &COMMIT_SKIP,
    &CPU_BURN,
    &MEMORY_LEAK,
    &EXECUTOR_BLOCK,
    &FD_LEAK,
    &CRASH,
    &LOG_FLOOD,
    &WRONG_TOTAL,
    &LOST_UPDATE,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &CARDINALITY_BOMB,
];

const fn duration(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: Duration,
    max: Duration,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Duration { min, max }, default }
}

const fn count(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: u64,
    max: u64,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Count { min, max }, default }
}

const fn bytes(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: u64,
    max: u64,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Bytes { min, max }, default }
}

const fn word(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    words: &'static [&'static str],
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Word(words), default }
}

/// A fault that hits units of work.
const fn work(
    name: &'static str,
    summary: &'static str,
    params: &'static [ParamSpec],
    signals: &'static str,
) -> FaultSpec {
    FaultSpec { name, summary, reach: Reach::Work, params, signals, ends: NOTHING, baseline: None }
}

/// A fault that hits the process or one of its resources.
const fn process(
    name: &'static str,
    summary: &'static str,
    params: &'static [ParamSpec],
    signals: &'static str,
) -> FaultSpec {
    FaultSpec { name, summary, reach: Reach::Process, params, signals, ends: NOTHING, baseline: None }
}
