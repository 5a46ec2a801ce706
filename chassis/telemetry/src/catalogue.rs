//! Faults of the telemetry: the service is healthy, its telemetry is not.

use chassis_faults::{Fault, catalogue, params, params::count, spec::process};

params! {
    /// Parameters of `cardinality-bomb`.
    pub struct CardinalityBomb {
        /// how many
        series: u64 = count("2000", 1, 10_000),
    }
}

catalogue! {
    /// `metrics-gone`: the scrape fails.
    pub const METRICS_GONE: Fault = process(
        "metrics-gone",
        "`/metrics` answers 503. `rate` is the share of scrapes that fail.",
        "`up` falls to 0 while the service serves; rates and alerts on its metrics go silent; `absent()` fires.",
    );

    /// `trace-drop`: spans are lost.
    pub const TRACE_DROP: Fault = process(
        "trace-drop",
        "Finished spans are thrown away before export. `rate` is the share of them.",
        "`traces_dropped_total` rises and `traces_exported_total` falls; traces have holes or are missing.",
    );

    /// `log-drop`: lines are lost.
    pub const LOG_DROP: Fault = process(
        "log-drop",
        "Log lines are thrown away before they are written. `rate` is the share of them.",
        "The log is thin or silent while `log_lines_total` and requests continue.",
    );

    /// `cardinality-bomb`: too many series.
    pub const CARDINALITY_BOMB: Fault<CardinalityBomb> = process(
        "cardinality-bomb",
        "The names of database operations, a label of `database_operations_total`, really get ids in them: `series` more \
         series. `rate` is the share of `series`.",
        "`scrape_samples_scraped`, scrape duration and size rise, Prometheus's memory and series count with them.",
    );
}
