//! What Prometheus knows at the knee: which resource is full, and how long each part of an order takes.

use serde::{Deserialize, Serialize};
use statistics::queue::Station;

/// A question to Prometheus whose answer is 1 where a resource is full.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// What it asks for.
    pub name: &'static str,
    /// PromQL; `WINDOW` is the length of the step.
    pub query: &'static str,
    /// The label that tells the resources apart.
    pub label: &'static str,
}

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
const WAITING: [&str; 2] = ["consumer lag", "locks"];
/// A resource that is this full explains what waits for it.
pub(super) const FULL: f64 = 0.85;

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

/// Stations that are connections to PostgreSQL.
pub const CONNECTIONS: &str = "connections";
/// Stations that are cores of a service.
pub const CORES: &str = "cores";
/// Stations that are partitions of a topic.
pub const PARTITIONS: &str = "partitions";
/// The station that is the thread of the cache.
pub const REDIS: &str = "the thread of Redis";

/// What a station is made of: seconds of service per second, visits per second, and servers, each by service.
pub const QUERIES: &[(&str, [Query; 3])] = &[
    (
        CONNECTIONS,
        [
            Query {
                name: "busy",
                query: "sum by (service) (rate(database_query_duration_seconds_sum[WINDOW]))",
                label: "service",
            },
            Query {
                name: "visits",
                query: "sum by (service) (rate(database_query_duration_seconds_count[WINDOW]))",
                label: "service",
            },
            Query { name: "servers", query: "sum by (service) (database_connections_max)", label: "service" },
        ],
    ),
    // What a process computes. Every replica is given one core; [`stations`] gives it more if it has used more.
    (
        CORES,
        [
            Query {
                name: "busy",
                query: "sum by (service) (rate(process_cpu_seconds_total{service=~\"edge|order-api|user-service|order-worker\"}[WINDOW]))",
                label: "service",
            },
            Query {
                name: "visits",
                query: "sum by (service) (rate(http_requests_total[WINDOW])) or sum by (service) (rate(kafka_consumed_total[WINDOW]))",
                label: "service",
            },
            Query {
                name: "servers",
                query: "count by (service) (process_cpu_seconds_total{service=~\"edge|order-api|user-service|order-worker\"})",
                label: "service",
            },
        ],
    ),
    // Redis runs one command at a time.
    (
        REDIS,
        [
            Query {
                name: "busy",
                query: "sum(rate(redis_commands_duration_seconds_total[WINDOW]))",
                label: "",
            },
            Query { name: "visits", query: "sum(rate(redis_commands_total[WINDOW]))", label: "" },
            Query { name: "servers", query: "count(redis_up)", label: "" },
        ],
    ),
    // A partition has 16 messages under way at once (`WINDOW` in chassis/kafka), so that each takes a sixteenth of it.
    (
        PARTITIONS,
        [
            Query {
                name: "busy",
                query: "sum by (service) (rate(kafka_process_duration_seconds_sum[WINDOW])) / 16",
                label: "service",
            },
            Query {
                name: "visits",
                query: "sum by (service) (rate(kafka_process_duration_seconds_count[WINDOW]))",
                label: "service",
            },
            Query { name: "servers", query: "count by (service) (kafka_consumer_lag)", label: "service" },
        ],
    ),
];

/// Cores by which a service may exceed whole ones before it is given another. A measured CPU time is off by some percent, and a service
/// that is held to one core reads as 1.01: it does not have two.
const SLACK: f64 = 0.1;

/// Stations from the answers to [`QUERIES`]: by service busy seconds per second, visits per second and servers, at `rate` journeys per
/// second. A service without one of them is left out. A service that was seen to use more cores than it has replicas gets as many whole
/// cores as it used, less a tenth of one: otherwise its capacity would be well below the rate at which it was measured.
#[must_use]
pub fn stations(kind: &str, answers: &[Vec<(String, f64)>; 3], rate: f64) -> Vec<Station> {
    let [busy, visits, servers] = answers;
    let of = |list: &[(String, f64)], service: &str| {
        list.iter().find(|(name, _)| name == service).map(|(_, value)| *value).filter(|value| *value > 0.0)
    };
    let station = |(service, busy): &(String, f64)| {
        let (visits, servers) = (of(visits, service)?, of(servers, service)?);
        let servers = if kind == CORES { servers.max((busy - SLACK).ceil()) } else { servers };
        (*busy > 0.0 && rate > 0.0).then(|| Station {
            name: if service.is_empty() { kind.to_owned() } else { format!("{kind} of {service}") },
            servers: servers as u32,
            service: busy / visits,
            // Times of statements vary about as much as their mean.
            variation: 1.0,
            visits: visits / rate,
        })
    };
    busy.iter().filter_map(station).collect()
}

/// What the databases take, measured while the load rose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Bytes that a journey leaves in tables and indexes.
    pub bytes_per_journey: f64,
    /// Transactions per journey.
    pub commits_per_journey: f64,
    /// Sessions that one server accepts.
    pub max_connections: f64,
    /// Sessions that one replica of every service may open.
    pub connections_per_replica: f64,
}

impl Database {
    /// Size of all databases, in bytes.
    pub const SIZE: Query = Query { name: "size", query: "sum(pg_database_size_bytes)", label: "" };
    /// Transactions per second.
    pub const COMMITS: Query =
        Query { name: "commits", query: "sum(rate(pg_stat_database_xact_commit[WINDOW]))", label: "" };
    /// Sessions that a server accepts.
    pub const MOST: Query = Query { name: "most", query: "max(pg_settings_max_connections)", label: "" };
    /// Sessions of the pools of one replica of each service, whatever number of them runs.
    pub const POOLS: Query = Query {
        name: "pools",
        query: "sum(max by (service, database) (database_connections_max))",
        label: "",
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(service: &str, value: f64) -> Vec<(String, f64)> {
        vec![(service.to_owned(), value)]
    }

    #[test]
    fn a_station_has_its_service_time_and_its_visits_per_journey() {
        let answers = [answer("order-api", 2.0), answer("order-api", 400.0), answer("order-api", 10.0)];
        let stations = stations("connections", &answers, 100.0);
        assert_eq!(stations[0].name, "connections of order-api");
        assert!((stations[0].service - 0.005).abs() < 1e-12 && (stations[0].visits - 4.0).abs() < 1e-12);
        // Ten connections, 20 ms per journey.
        assert!((stations[0].capacity() - 500.0).abs() < 1e-9);
        let unknown = [answer("order-api", 2.0), answer("order-worker", 400.0), answer("order-api", 10.0)];
        assert!(super::stations("connections", &unknown, 100.0).is_empty());
        let shared = [answer("", 0.1), answer("", 1_000.0), answer("", 1.0)];
        assert_eq!(super::stations(REDIS, &shared, 100.0)[0].name, REDIS);
    }

    #[test]
    fn a_service_that_uses_more_than_one_core_has_them() {
        let answers =
            |busy| [answer("order-api", busy), answer("order-api", 400.0), answer("order-api", 1.0)];
        let one = stations(CORES, &answers(0.4), 100.0);
        assert_eq!(one[0].servers, 1);
        let two = stations(CORES, &answers(1.6), 100.0);
        // 16 ms of CPU time per journey: two cores are full at 125 journeys/s, one would have been at 62.5.
        assert!(two[0].servers == 2 && (two[0].capacity() - 125.0).abs() < 1e-9, "{two:?}");
        // What is measured is not exact: a core that is full is one core.
        for (busy, cores) in [(1.0, 1), (1.01, 1), (1.09, 1), (1.11, 2), (2.05, 2), (2.2, 3)] {
            assert_eq!(stations(CORES, &answers(busy), 100.0)[0].servers, cores, "{busy}");
        }
    }

    /// What the services export, and what the exporters of the lab do: the first word of each line.
    const EXPORTED: &[&str] = &[
        include_str!("../../../services/edge/tests/api/snapshots/metrics.txt"),
        include_str!("../../../services/order-api/tests/api/snapshots/metrics.txt"),
        include_str!("../../../services/order-worker/tests/api/snapshots/metrics.txt"),
        include_str!("../../../services/user-service/tests/api/snapshots/metrics.txt"),
        include_str!("../../../oncall/dashgen/catalogue/postgres.txt"),
        include_str!("../../../oncall/dashgen/catalogue/redis.txt"),
    ];

    #[test]
    fn every_metric_that_is_asked_for_is_exported() {
        let exported: Vec<&str> =
            EXPORTED.iter().flat_map(|text| text.lines()).filter_map(|line| line.split(' ').next()).collect();
        let known = |name: &str| {
            let whole = name.strip_suffix("_sum").or_else(|| name.strip_suffix("_count")).unwrap_or(name);
            exported.contains(&name) || exported.contains(&whole)
        };
        let database = [Database::SIZE, Database::COMMITS, Database::MOST, Database::POOLS];
        let stations = QUERIES.iter().flat_map(|(_, queries)| queries);
        let mut names = 0;
        for query in SATURATION.iter().chain(stations).chain(&database) {
            let words = query.query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            // Words with an underscore are metrics, or a function of PromQL.
            for name in words.filter(|word| word.contains('_') && !word.ends_with("_over_time")) {
                assert!(known(name), "{name} in `{}`", query.query);
                names += 1;
            }
        }
        assert!(names > 20, "{names} names found");
    }

    #[test]
    fn a_partition_is_shared_by_as_many_messages_as_the_consumer_handles_at_once() {
        let consumer = include_str!("../../../chassis/kafka/src/consumer/window.rs");
        assert!(consumer.contains("const WINDOW: usize = 16;"), "{consumer}");
        let (_, [busy, ..]) = QUERIES.iter().find(|(kind, _)| *kind == PARTITIONS).unwrap();
        assert!(busy.query.ends_with(") / 16"), "{}", busy.query);
    }

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
        let named = |start: &&str| SATURATION.iter().any(|query| query.name.starts_with(*start));
        assert!(WAITING.iter().all(named));
    }
}
