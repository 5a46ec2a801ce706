//! A look at a release that is under way: what to ask Prometheus, and what happened between two looks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::{
    Block,
    fleet::Pair,
    invariants::query,
    measure::{Reading, SERIES, Unreadable, block},
};

/// Endpoints that fail by design.
pub const WITHOUT: [&str; 1] = ["/risky"];

/// How one of the two is found in Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Matchers of the labels of its instances, such as `instance="127.0.0.1:9131"`. Several of them count as one.
    pub instances: String,
    /// A query for what others have found about what it did, if they count by version.
    pub checks: Option<String>,
}

impl Side {
    /// The query for every series of a reading.
    #[must_use]
    pub fn query(&self) -> String {
        let own = format!("{{{},__name__=~\"{}\"}}", self.instances, SERIES.join("|"));
        // `or` keeps both: the series of the service that checks have other labels.
        self.checks.iter().fold(own, |own, checks| format!("{own} or {checks}"))
    }
}

/// How a service and its release are found in Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matchers {
    /// The canary.
    pub canary: Side,
    /// The baseline.
    pub baseline: Side,
    /// Matchers of the labels of every instance of the service.
    pub all: String,
}

impl Matchers {
    /// Of two instances on one machine.
    #[must_use]
    pub fn of_pair(service: &str, pair: &Pair) -> Self {
        let side = |role: &str, name: &str| Side {
            instances: format!("instance=\"{name}\""),
            checks: query(service, role, ""),
        };
        Self {
            canary: side("canary", &pair.canary),
            baseline: side("baseline", &pair.baseline),
            all: format!("service=\"{service}\""),
        }
    }

    /// Of the pods of two Deployments, `NAME-canary` and `NAME-baseline`, in a namespace.
    #[must_use]
    pub fn of_pods(service: &str, namespace: &str) -> Self {
        let namespace = format!("namespace=\"{namespace}\",");
        let all = format!("{namespace}service=\"{service}\"");
        let side = |role: &str| Side {
            instances: format!("{all},pod=~\"{service}-{role}-.+\""),
            checks: query(service, role, &namespace),
        };
        Self { canary: side("canary"), baseline: side("baseline"), all }
    }

    /// The query for how many requests all instances had.
    #[must_use]
    pub fn total(&self) -> String {
        format!("sum(http_requests_total{{{}}})", self.all)
    }
}

/// What Prometheus answered to [`Side::query`] at `at`: labels with `__name__`, and values.
///
/// # Errors
/// When nothing that was selected is scraped.
pub fn reading<'s>(
    answer: impl IntoIterator<Item = (&'s BTreeMap<String, String>, f64)>,
    at: DateTime<Utc>,
) -> Result<Reading, Unreadable> {
    let without: BTreeSet<String> = WITHOUT.iter().map(|&endpoint| endpoint.to_owned()).collect();
    Reading::of(answer, at, &without)
}

/// What canary, baseline, and all instances of the service had counted at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// The new version.
    pub canary: Reading,
    /// The old version.
    pub baseline: Reading,
    /// Requests to every instance.
    pub all: f64,
}

/// Remembers the last glance.
#[derive(Debug, Clone, Default)]
pub struct Looks(Option<Glance>);

impl Looks {
    /// What happened since the last look; nothing if there was none, or if nobody sent a request.
    pub fn see(&mut self, now: Glance) -> Option<Block> {
        let block = self.0.as_ref().and_then(|last| between(last, &now));
        if block.as_ref().is_some_and(|block| block.canary.requests.all + block.baseline.requests.all == 0) {
            // Too little to tell: the next look sees more.
            return None;
        }
        self.0 = Some(now);
        block
    }
}

fn between(before: &Glance, now: &Glance) -> Option<Block> {
    let block = block((&before.canary, &now.canary), (&before.baseline, &now.baseline), 0)?;
    // Instances come and go: a sum that shrinks says nothing.
    let all = (now.all - before.all).max(0.0) as u64;
    Some(Block { everyone: all.max(block.everyone), ..block })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(requests: f64, started: f64, seconds: i64) -> Glance {
        let at = DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        let labels = |name: &str| BTreeMap::from([("__name__".to_owned(), name.to_owned())]);
        let answer =
            [(labels("http_requests_total"), requests), (labels("process_start_time_seconds"), started)];
        let one = reading(answer.iter().map(|(labels, value)| (labels, *value)), at).unwrap();
        Glance { canary: one.clone(), baseline: one, all: requests * 10.0 }
    }

    #[test]
    fn the_queries_select_what_is_compared_and_nothing_else() {
        let pair = Pair { canary: "127.0.0.1:9131".to_owned(), baseline: "127.0.0.1:9121".to_owned() };
        let here = Matchers::of_pair("order-api", &pair);
        assert_eq!(here.total(), "sum(http_requests_total{service=\"order-api\"})");
        let query = here.canary.query();
        assert!(
            query.starts_with("{instance=\"127.0.0.1:9131\",__name__=~\"http_requests_total|"),
            "{query}"
        );
        assert!(query.ends_with("\"} or order_totals_checked_total{track=\"canary\"}"), "{query}");
        let there = Matchers::of_pods("order-api", "sre-lab").baseline;
        let expected = "namespace=\"sre-lab\",service=\"order-api\",pod=~\"order-api-baseline-.+\"";
        assert_eq!(there.instances, expected);
        let checks = "order_totals_checked_total{namespace=\"sre-lab\",track=\"baseline\"}";
        assert_eq!(there.checks.as_deref(), Some(checks));
        assert_eq!(Matchers::of_pair("user-service", &pair).canary.checks, None, "nobody checks its work");
    }

    #[test]
    fn a_look_is_what_happened_since_the_last_one_that_saw_requests() {
        let mut looks = Looks::default();
        assert_eq!(looks.see(glance(100.0, 7.0, 0)), None, "there was none before");
        assert_eq!(looks.see(glance(100.0, 7.0, 1)), None, "nobody sent a request");
        let block = looks.see(glance(130.0, 7.0, 2)).unwrap();
        assert_eq!((block.canary.requests.all, block.everyone), (30, 300));
        assert_eq!(looks.see(glance(5.0, 9.0, 3)), None, "another process");
        assert_eq!(looks.see(glance(8.0, 9.0, 4)).unwrap().canary.requests.all, 3);
    }
}
