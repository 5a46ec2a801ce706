//! Where today's design breaks: each limit as a rate of journeys, and what replaces what is full.

use serde::{Deserialize, Serialize};
use statistics::queue::Station;

use crate::capacity::{CONNECTIONS, Findings, PARTITIONS, REDIS, SHARE, most_replicas};

/// What one of each can carry, from `load/scale.yaml` or your own file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Number of users.
    pub users: u64,
    /// Exponent of their Zipf distribution: 0 is uniform.
    pub zipf: f64,
    /// Requests per second that are let through for one user.
    pub user_limit: f64,
    /// Sessions of one PostgreSQL.
    pub connections: f64,
    /// Transactions per second of one PostgreSQL.
    pub transactions: f64,
    /// GiB in one PostgreSQL.
    pub gib: f64,
    /// Partitions of one topic.
    pub partitions: f64,
    /// Share of all users that may be without the shop at once.
    pub blast: f64,
}

impl Limits {
    /// The built-in ones.
    ///
    /// # Errors
    /// Never: a test reads them.
    pub fn shipped() -> Result<Self, yaml::Problem> {
        Self::read("scale.yaml", include_str!("../../scale.yaml"))
    }

    /// From the text of a file.
    ///
    /// # Errors
    /// With file, line and field.
    pub fn read(file: &str, text: &str) -> Result<Self, yaml::Problem> {
        yaml::parse(file, text)
    }

    /// The first value that makes no sense, in words.
    #[must_use]
    pub fn wrong(&self) -> Option<String> {
        let positive = [
            ("user_limit", self.user_limit),
            ("connections", self.connections),
            ("transactions", self.transactions),
            ("gib", self.gib),
            ("partitions", self.partitions),
        ];
        let none = positive.iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()));
        if let Some((name, value)) = none {
            return Some(format!("{name} is {value}: it has to be a number above 0"));
        }
        if self.users == 0 {
            return Some("users is 0: it has to be at least 1".to_owned());
        }
        if !(0.0..=10.0).contains(&self.zipf) {
            return Some(format!("zipf is {}: it has to be from 0 to 10", self.zipf));
        }
        let share = self.blast > 0.0 && self.blast <= 1.0;
        (!share).then(|| format!("blast is {}: it has to be above 0 and at most 1", self.blast))
    }
}

/// A limit of today's design.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Break {
    /// What is full.
    pub what: String,
    /// From how many journeys per second on.
    pub rate: f64,
    /// What replaces it.
    pub replaced_by: &'static str,
    /// Whether it also bounds a cell: more servers of this kind do not help.
    pub of_a_cell: bool,
}

/// The limits, the first to be reached first. Queues are full at 60 %: above it they wait too long ([`SHARE`]).
#[must_use]
pub fn breaks(findings: &Findings, limits: &Limits) -> Vec<Break> {
    let mut found: Vec<Break> =
        findings.stations.iter().flat_map(|station| of_station(station, limits)).collect();
    if let Some(database) = &findings.database {
        let knee = findings.knee * SHARE;
        let replicas = |connections: f64| {
            f64::from(most_replicas(connections, database.connections_per_replica).saturating_sub(1)) * knee
        };
        let kept = database.bytes_per_journey * findings.assumptions.keep_days * 86_400.0 / 1_073_741_824.0;
        found.extend([
            Break {
                what: format!("{:.0} sessions of PostgreSQL as configured", database.max_connections),
                rate: replicas(database.max_connections),
                replaced_by: "more sessions, then a pooler (PgBouncer) that shares them between replicas",
                of_a_cell: false,
            },
            Break {
                what: format!("{:.0} transactions per second of one primary", limits.transactions),
                rate: limits.transactions * SHARE / database.commits_per_journey.max(f64::MIN_POSITIVE),
                replaced_by: "shards by user",
                of_a_cell: true,
            },
            Break {
                what: format!("{:.0} GiB in one PostgreSQL", limits.gib),
                rate: limits.gib / kept.max(f64::MIN_POSITIVE),
                replaced_by: "orders by month in partitions, old ones in object storage; then shards by user",
                of_a_cell: true,
            },
        ]);
    }
    found.retain(|limit| limit.rate.is_finite());
    found.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    found
}

/// The limits of a place with servers: as many as it has today, and as many as it can have.
fn of_station(station: &Station, limits: &Limits) -> Vec<Break> {
    let today = |replaced_by| Break {
        what: format!("{} ({} today)", station.name, station.servers),
        rate: station.capacity() * SHARE,
        replaced_by,
        of_a_cell: false,
    };
    let largest = |servers: f64, replaced_by| Break {
        what: format!("{} (at most {servers:.0})", station.name),
        rate: servers * SHARE / (station.service * station.visits),
        replaced_by,
        of_a_cell: true,
    };
    if station.name == REDIS {
        vec![today(
            "a fleet of caches: nodes by a hash of the key, the hottest keys in the services' own memory",
        )]
    } else if station.name.starts_with(PARTITIONS) {
        vec![
            today(
                "more partitions: a message's key decides its partition, so drain the topic before you change their number",
            ),
            largest(limits.partitions, "one topic for each shard of users"),
        ]
    } else if station.name.starts_with(CONNECTIONS) {
        vec![
            today("larger pools and more replicas"),
            largest(
                limits.connections,
                "shards by user: a PostgreSQL for each, found by a hash of the user's id",
            ),
        ]
    } else {
        vec![today("more replicas behind the edge")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::example;

    #[test]
    fn the_first_limit_comes_first_and_is_that_of_arithmetic() {
        let found = breaks(&example(), &Limits::shipped().unwrap());
        assert!(found.is_sorted_by_key(|limit| limit.rate), "{found:?}");
        // Ten connections, two visits of 10 ms, at 60 %: 300 journeys/s. One core, 1.6 visits of 1 ms: 375.
        assert_eq!(found[0].what, "connections of order-api (10 today)");
        assert!((found[0].rate - 300.0).abs() < 1e-6, "{found:?}");
        assert!(found[0].replaced_by.contains("pools"), "{found:?}");
        let rate = |what: &str| found.iter().find(|limit| limit.what.contains(what)).map(|limit| limit.rate);
        // 10,000 * 0.6 / 1.4, and 500 * 0.6 / 20 ms.
        assert!((rate("transactions").unwrap() - 4_285.714).abs() < 0.01);
        assert!((rate("at most 500").unwrap() - 15_000.0).abs() < 0.01);
    }

    #[test]
    fn shipped_limits_are_right_and_wrong_ones_are_named() {
        let shipped = Limits::shipped().unwrap();
        assert_eq!(shipped.wrong(), None);
        let wrong = |limits: Limits| limits.wrong().unwrap();
        assert!(wrong(Limits { gib: 0.0, ..shipped.clone() }).starts_with("gib is 0"));
        assert!(wrong(Limits { zipf: f64::NAN, ..shipped.clone() }).starts_with("zipf"));
        assert!(wrong(Limits { blast: 1.5, ..shipped.clone() }).starts_with("blast"));
        assert!(wrong(Limits { users: 0, ..shipped }).starts_with("users"));
    }
}
