//! Which resource is full at the knee.

use serde::{Deserialize, Serialize};

use super::Query;

/// Resources that can be full.
pub const SATURATION: &[Query] = &[
    Query {
        name: "connection pool",
        query: "max by (service) (avg_over_time(database_connections_active[WINDOW]) / database_connections_max)",
        label: "service",
    },
    Query {
        name: "CPU of a process",
        query: "max by (service) (avg_over_time(process_cpu_usage_percent[WINDOW])) / 100",
        label: "service",
    },
    Query {
        name: "CPU of the machine",
        query: "max(avg_over_time(cpu_usage_percent[WINDOW])) / 100",
        label: "",
    },
    Query {
        name: "connections of PostgreSQL",
        query: "sum by (job) (avg_over_time(pg_stat_activity_count[WINDOW])) / max by (job) (pg_settings_max_connections)",
        label: "job",
    },
    // Above MAX_IN_FLIGHT a request is shed. A server whose requests wait for something else has as many in flight.
    Query {
        name: "requests in flight (against 256)",
        query: "max by (service) (avg_over_time(http_requests_in_flight[WINDOW])) / 256",
        label: "service",
    },
    // Orders have to be settled within five seconds (docs/slos.md).
    Query {
        name: "consumer lag (age of the oldest message against 5 s)",
        query: "max by (topic) (avg_over_time(kafka_oldest_message_age_seconds[WINDOW])) / 5",
        label: "topic",
    },
    // A transaction that waits for a lock stays open: one second is as long as it may.
    Query {
        name: "locks (age of the oldest transaction against 1 s)",
        query: "max by (datname) (avg_over_time(pg_stat_activity_max_tx_duration{state=\"active\"}[WINDOW]))",
        label: "datname",
    },
];

/// How full a resource was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saturated {
    /// The resource, with the value of its label.
    pub name: String,
    /// 1 is full.
    pub share: f64,
}

/// What waits when something else is full: beginnings of names in [`SATURATION`].
const WAITING: [&str; 3] = ["consumer lag", "locks", "requests in flight"];
/// A resource that is this full explains what waits for it.
pub(in crate::capacity) const FULL: f64 = 0.85;

/// What limits first: resources that are full, and then the rest, each the fullest first. A queue grows without bound as soon as
/// something else is full, so its share is larger than that of its cause.
#[must_use]
pub fn worst(mut seen: Vec<Saturated>) -> Vec<Saturated> {
    seen.retain(|saturated| saturated.share.is_finite());
    let waits = |name: &str| WAITING.iter().any(|waiting| name.starts_with(waiting));
    let explains = |saturated: &Saturated| saturated.share >= FULL && !waits(&saturated.name);
    seen.sort_by(|a, b| explains(b).cmp(&explains(a)).then(b.share.total_cmp(&a.share)));
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_comes_first_and_no_number_is_no_answer() {
        let seen = [("a", 0.4), ("b", f64::NAN), ("c", 0.9)]
            .map(|(name, share)| Saturated { name: name.to_owned(), share });
        let names: Vec<String> = worst(seen.into()).into_iter().map(|saturated| saturated.name).collect();
        assert_eq!(names, ["c", "a"]);
    }

    #[test]
    fn what_is_full_comes_before_the_queue_behind_it() {
        let first = |cpu| {
            let seen = [("consumer lag (age …) orders", 3.0), ("CPU of the machine", cpu)];
            worst(seen.map(|(name, share)| Saturated { name: name.to_owned(), share }).into())[0].name.clone()
        };
        assert_eq!(first(0.97), "CPU of the machine");
        assert_eq!(first(0.5), "consumer lag (age …) orders");
        let limit = "| `MAX_IN_FLIGHT` | `--max-in-flight` | `256` |";
        assert!(
            include_str!("../../../../docs/configuration.md").contains(limit),
            "the queries divide by it"
        );
        let named = |start: &&str| SATURATION.iter().any(|query| query.name.starts_with(*start));
        assert!(WAITING.iter().all(named));
    }
}
