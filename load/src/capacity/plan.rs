//! What a knee means for money and time.

use serde::{Deserialize, Serialize};

/// Prices per hour, from `load/prices.yaml` or your own file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// What the numbers are in, such as EUR.
    pub currency: String,
    /// Where the prices come from, and of when they are.
    pub source: String,
    /// A replica of every service, together.
    pub replica_set: f64,
    /// The databases, together.
    pub databases: f64,
    /// Everything that does not grow with the load: broker, monitoring, addresses.
    pub fixed: f64,
    /// A GiB in the databases for a month, with its standby and its backups.
    pub storage: f64,
}

impl Prices {
    /// Price of a million journeys at `rate` per second with this many replicas.
    #[must_use]
    pub fn per_million(&self, rate: f64, replicas: u32) -> f64 {
        let hour = self.replica_set * f64::from(replicas) + self.databases + self.fixed;
        hour / (rate * 3_600.0) * 1e6
    }

    /// Price of keeping what a million journeys leave, `bytes` each, for `days`.
    #[must_use]
    pub fn storage_per_million(&self, bytes: f64, days: f64) -> f64 {
        self.storage * bytes * 1e6 / GIB * days / DAYS_PER_MONTH
    }
}

/// Bytes of a GiB.
pub(super) const GIB: f64 = 1_073_741_824.0;
/// 365 / 12
const DAYS_PER_MONTH: f64 = 30.417;
/// Sessions for people and for the exporter, as in the checks of the chart.
const RESERVED: f64 = 8.0;

/// The largest number of replicas of every service whose pools fit into one PostgreSQL, with room for one more during a rollout; 0 if
/// not even one does.
#[must_use]
pub fn most_replicas(max_connections: f64, per_replica: f64) -> u32 {
    ((max_connections - RESERVED) / per_replica - 1.0).floor().clamp(0.0, 1e9) as u32
}

/// Replicas for `rate` when one of them has its knee at `knee`, is used up to `share` of it, and one of them may fail.
#[must_use]
pub fn replicas(rate: f64, knee: f64, share: f64) -> u32 {
    (rate / (knee * share)).ceil().clamp(1.0, 1e9) as u32 + 1
}

/// Months until `today` has grown to `limit` at a growth of `percent` per month: 0 if it has, `None` if it never does.
#[must_use]
pub fn months_until(limit: f64, today: f64, percent: f64) -> Option<f64> {
    if today >= limit {
        return Some(0.0);
    }
    (today > 0.0 && percent > 0.0).then(|| (limit / today).ln() / (1.0 + percent / 100.0).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_replica_than_needed_may_fail() {
        assert_eq!(replicas(60.0, 100.0, 0.6), 2);
        assert_eq!(replicas(601.0, 100.0, 0.6), 12);
    }

    #[test]
    fn pools_fit_into_one_server_until_they_do_not() {
        // 200 sessions, 8 reserved, 30 per replica: 6.4, one of them for a rollout.
        assert_eq!(most_replicas(200.0, 30.0), 5);
        assert_eq!(most_replicas(20.0, 30.0), 0);
    }

    #[test]
    fn growth_reaches_a_limit_or_never_does() {
        let months = months_until(200.0, 100.0, 10.0).unwrap();
        assert!((months - 7.2725).abs() < 0.001, "{months}");
        assert_eq!(months_until(100.0, 100.0, 10.0), Some(0.0));
        assert_eq!(months_until(200.0, 100.0, 0.0), None);
    }

    #[test]
    fn a_million_journeys_cost_the_hours_that_they_take() {
        let prices = Prices {
            currency: "EUR".to_owned(),
            source: String::new(),
            replica_set: 0.1,
            databases: 0.5,
            fixed: 0.3,
            storage: 0.2,
        };
        // 1,000,000 / (100 / s) is 2.777… hours, at 1.00 per hour.
        assert!((prices.per_million(100.0, 2) - 2.7777).abs() < 0.001);
        // 1 KiB each is 0.954 GiB, for two months.
        assert!((prices.storage_per_million(1_024.0, 60.834) - 0.3815).abs() < 0.001);
        let shipped: Result<Prices, _> = yaml::parse("prices.yaml", include_str!("../../prices.yaml"));
        assert!(shipped.is_ok(), "{shipped:?}");
    }
}
