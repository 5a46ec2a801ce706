//! user-service: users behind a cache.

use super::shared::{NEVER, access_row, database_panels, logs_row, of, panel, red_row, runtime_row, slo_row};
use crate::{
    link::board as to,
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{max, quantile, query, rate, rates, sel},
};

const NAME: &str = "user-service";

pub(super) fn board() -> Board {
    Board {
        uid: NAME,
        title: "user-service",
        description: "Answers reads of users from Redis, or from PostgreSQL if Redis does not have them. Read from top to bottom: first what callers notice, then the cache, then the database.",
        jobs: r#"up{service="user-service", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            slo_row(NAME),
            red_row(NAME),
            cache_row(),
            protection_row(),
            row("Dependency: PostgreSQL \"users\"", database_panels(&of(NAME))),
            saturation_row(),
            logs_row(NAME),
            access_row(NAME),
            runtime_row(NAME),
        ],
    }
}

/// Share of the look-ups that found a fresh entry.
pub(super) fn hit_ratio(matchers: &str) -> String {
    let (hits, misses) = (rate("cache_hits_total", matchers), rate("cache_misses_total", matchers));
    format!(
        "sum by (cache_type) ({hits})\n/\n(sum by (cache_type) ({hits}) + sum by (cache_type) ({misses}))"
    )
}

fn cache_row() -> Row {
    let of = of(NAME);
    row(
        "Dependency: Redis",
        vec![
            panel("Hit ratio", Unit::Ratio, "Share of the look-ups that found a fresh entry. Normal is above 80 % once warm; a drop moves load to the database.")
                .query(query("{{cache_type}}", hit_ratio(&of)))
                .range(0.0, 1.0)
                .links([to("data-stores", "Data stores")]),
            Panel::new(Kind::Stack, "Look-ups", Unit::Operations, "Look-ups by what they found. Normal is mostly hits.")
                .query(query("hit", rates("", "cache_hits_total", &of)))
                .query(query("miss", rates("", "cache_misses_total", &of)))
                .colour("hit", "green")
                .colour("miss", "orange")
                .size(6, 7),
            panel("Cache operation p95", Unit::Seconds, "Duration of cache operations, failed ones included. Normal is below a millisecond; the deadline ends slower ones.")
                .query(query("{{operation}}", quantile(0.95, "operation", "cache_operation_duration_seconds", &of))),
            panel("Cache errors", Unit::Operations, "Operations that failed or took longer than their deadline. Normal is 0; reads then go to the database.")
                .query(query("{{operation}}", rates("operation", "cache_errors_total", &of))),
        ],
    )
}

fn protection_row() -> Row {
    let of = of(NAME);
    row(
        "Between the cache and the database",
        vec![
            panel("Reads of the database", Unit::Operations, "Reads of one user after a miss. Normal is well below the misses, because simultaneous misses for the same user share one read.")
                .query(query("reads", rates("", "cache_origin_reads_total", &of))),
            panel("Reads that shared another's", Unit::Operations, "Misses that waited for the read of another request. Normal is small; a peak is a stampede that was averted.")
                .query(query("shared", rates("", "cache_coalesced_total", &of))),
            panel("Stale copies served", Unit::Operations, "Expired copies that were served because the database failed. Normal is 0.")
                .query(query("stale", rates("", "cache_stale_served_total", &of)))
                .steps(&NEVER[1..]),
            panel("Reads refused", Unit::Operations, "Reads that were refused while the cache was down, to keep the database alive. Normal is 0.")
                .query(query("refused", rates("", "cache_bypass_refused_total", &of)))
                .steps(&NEVER[1..]),
        ],
    )
}

fn saturation_row() -> Row {
    let of = of(NAME);
    row(
        "Saturation",
        vec![
            panel(
                "Requests in flight",
                Unit::Count,
                "Requests that have not been answered yet. Normal is rate times latency: a handful.",
            )
            .query(query("{{instance}}", sel("http_requests_in_flight", &of)))
            .size(8, 7),
            panel(
                "Shed and panics",
                Unit::Requests,
                "Requests refused because too many were in flight, handlers that panicked, and clients turned away because of their own behaviour (slow, too many, foreign). Normal is 0.",
            )
            .query(query("shed", rates("", "http_requests_shed_total", &of)))
            .query(query("panics", rates("", "http_panics_total", &of)))
            .query(query("turned away: {{reason}}", rates("reason", "http_clients_refused_total", &of)))
            .colour("panics", "red")
            .size(8, 7),
            panel(
                "Active users",
                Unit::Count,
                "Distinct users who were read in the last 15 minutes, by whichever replica. Normal follows the load's mix. No line: Redis does not answer.",
            )
            .query(query("users", max("", &sel("active_users", &of))))
            .size(8, 7),
        ],
    )
}
