//! All that a sweep has found, as it is kept in the repository: the page is written from it again without a measurement.

use serde::{Deserialize, Serialize};
use statistics::queue::Station;

use super::{Database, Objective, Prices, Saturated, Step, confirms};

/// All that a sweep has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Name of the scenario.
    pub scenario: String,
    /// What it ran on, in a few words.
    pub machine: String,
    /// When it began, RFC 3339 UTC.
    pub started_at: String,
    /// The revision; empty if unknown.
    pub commit: String,
    /// What had to hold.
    pub objective: Objective,
    /// Length of a step in seconds.
    pub hold: f64,
    /// In the order of the offered load.
    pub steps: Vec<Step>,
    /// Where the objective ends to hold, in journeys per second.
    pub knee: f64,
    /// Steps at 90 % and at 110 % of the knee; fewer if the target did not recover.
    pub validation: Vec<Step>,
    /// The fullest resource first; empty without Prometheus.
    pub saturated: Vec<Saturated>,
    /// Measured at the knee; empty without Prometheus.
    pub stations: Vec<Station>,
    /// `None` without an exporter of PostgreSQL.
    pub database: Option<Database>,
    /// Share of the journeys that place an order.
    pub orders: f64,
    /// What the page calculates with.
    pub assumptions: Assumptions,
}

/// What is not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    /// Prices.
    pub prices: Prices,
    /// Today's rate in journeys per second.
    pub today: f64,
    /// Growth in percent per month.
    pub growth: f64,
    /// How long an order is kept, in days.
    pub keep_days: f64,
    /// Orders per second to plan for; if empty, round numbers around the knee.
    #[serde(default)]
    pub orders: Vec<f64>,
}

impl Findings {
    /// From the text of [`Findings::to_json`].
    ///
    /// # Errors
    /// With the line and the column of the mistake.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// As it is kept in the repository.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .unwrap_or_else(|_| unreachable!("the findings have only names as keys"));
        format!("{json}\n")
    }

    /// Whether the objective held at 90 % of the knee and was missed at 110 %.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        confirms(&self.validation, &self.objective)
    }
}

/// A step that keeps every objective but that for its p99.
#[cfg(test)]
pub(super) fn step(offered: f64, p99_ms: f64) -> Step {
    Step {
        offered,
        throughput: offered,
        goodput: offered,
        settled: 1.0,
        concurrency: offered * 0.01,
        p99_ms,
        errors: 0.0,
        skipped: 0,
        steady: true,
    }
}

/// A sweep that found a knee at 300 journeys per second.
#[cfg(test)]
pub(crate) fn example() -> Findings {
    let station = |name: &str, servers, service, visits| Station {
        name: name.to_owned(),
        servers,
        service,
        variation: 1.0,
        visits,
    };
    Findings {
        scenario: "average".to_owned(),
        machine: "2 cores".to_owned(),
        started_at: "2026-11-29T12:00:00Z".to_owned(),
        commit: "abc".to_owned(),
        objective: Objective { p99_ms: 250.0, errors: 0.001, settle: 5.0, settled: 0.99 },
        hold: 20.0,
        steps: vec![step(100.0, 10.0), step(200.0, 20.0), step(400.0, 900.0)],
        knee: 300.0,
        validation: vec![step(270.0, 40.0), step(330.0, 600.0)],
        saturated: vec![Saturated { name: "connection pool order-api".to_owned(), share: 0.97 }],
        stations: vec![
            station("cores of order-api", 1, 0.001, 1.6),
            station("connections of order-api", 10, 0.01, 2.0),
            station("partitions of order-worker", 12, 0.004, 0.4),
            station(super::REDIS, 1, 0.000_02, 0.6),
        ],
        database: Some(Database {
            bytes_per_journey: 400.0,
            commits_per_journey: 1.4,
            max_connections: 200.0,
            connections_per_replica: 30.0,
        }),
        orders: 0.4,
        assumptions: Assumptions {
            prices: yaml::parse("prices.yaml", include_str!("../../prices.yaml")).unwrap(),
            today: 50.0,
            growth: 10.0,
            keep_days: 90.0,
            orders: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_as_they_were_written_and_a_wrong_field_is_named() {
        let kept = example().to_json();
        let read = Findings::from_json(&kept).unwrap();
        assert_eq!(read.to_json(), kept);
        assert_eq!(super::super::write(&read), super::super::write(&example()));
        assert!(read.confirmed());
        let wrong = kept.replace("\"knee\"", "\"nee\"");
        let error = Findings::from_json(&wrong).unwrap_err().to_string();
        assert!(error.contains("nee") && error.contains("line"), "{error}");
    }
}
