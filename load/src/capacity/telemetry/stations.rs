//! How long each part of an order takes, as stations with a queue.

use statistics::queue::Station;

use super::Query;

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

    #[test]
    fn a_partition_is_shared_by_as_many_messages_as_the_consumer_handles_at_once() {
        let consumer = include_str!("../../../../chassis/kafka/src/consumer/window.rs");
        assert!(consumer.contains("const WINDOW: usize = 16;"), "{consumer}");
        let (_, [busy, ..]) = QUERIES.iter().find(|(kind, _)| *kind == PARTITIONS).unwrap();
        assert!(busy.query.ends_with(") / 16"), "{}", busy.query);
    }
}
