//! What Prometheus knows at the knee. `full` -- which resource is full. `stations` -- how long each part of an order takes.

mod full;
mod stations;

use serde::{Deserialize, Serialize};

pub(super) use full::FULL;
pub use full::{SATURATION, Saturated, worst};
pub use stations::{CONNECTIONS, CORES, PARTITIONS, QUERIES, REDIS, stations};

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

    /// What the services export, and what the exporters of the lab do: the first word of each line.
    const EXPORTED: &[&str] = &[
        include_str!("../../../../services/edge/tests/api/snapshots/metrics.txt"),
        include_str!("../../../../services/order-api/tests/api/snapshots/metrics.txt"),
        include_str!("../../../../services/order-worker/tests/api/snapshots/metrics.txt"),
        include_str!("../../../../services/user-service/tests/api/snapshots/metrics.txt"),
        include_str!("../../../../oncall/dashgen/catalogue/postgres.txt"),
        include_str!("../../../../oncall/dashgen/catalogue/redis.txt"),
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
}
