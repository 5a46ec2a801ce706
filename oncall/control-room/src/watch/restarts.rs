//! Processes that started again, from the time at which each says that it started: a restart is a change of the system.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::Change;

/// Start times differ by less than this if they are the same: some clients round them.
const SAME: f64 = 1.5;

/// The start time of every process that was seen, by service and instance.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    known: BTreeMap<(String, String), f64>,
    /// When the first look was: what started before is no news.
    since: Option<DateTime<Utc>>,
}

impl Restarts {
    /// Takes the start times that Prometheus has now: service, instance, seconds since 1970. Returns what started since
    /// the last look.
    pub(super) fn look<'a>(
        &mut self,
        started: impl Iterator<Item = (&'a str, &'a str, f64)>,
        now: DateTime<Utc>,
    ) -> Vec<Change> {
        let since = *self.since.get_or_insert(now);
        let mut changes = Vec::new();
        for (service, instance, at) in started {
            let before = self.known.insert((service.to_owned(), instance.to_owned()), at);
            let known = before.is_some_and(|before| (at - before).abs() < SAME);
            let time = DateTime::from_timestamp_millis((at * 1000.0).round() as i64);
            // A replica that Prometheus has only now found may have been there before.
            if let Some(time) = time.filter(|time| !known && (before.is_some() || *time > since)) {
                changes.push(change(service, instance, time, before.is_some()));
            }
        }
        changes
    }
}

fn change(service: &str, instance: &str, at: DateTime<Utc>, again: bool) -> Change {
    let text = if again { "started again" } else { "was added" };
    Change {
        at,
        kind: "restart".to_owned(),
        service: Some(service.to_owned()),
        text: format!("{service} ({instance}) {text}"),
        by: "prometheus".to_owned(),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_started_again_is_a_change_and_one_that_was_there_is_not() {
        let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |seconds: i64| (now.timestamp() + seconds) as f64;
        let mut restarts = Restarts::default();
        let mut look = |started: &[(&'static str, &'static str, f64)]| {
            restarts
                .look(started.iter().copied(), now)
                .into_iter()
                .map(|change| change.text)
                .collect::<Vec<_>>()
        };
        assert!(look(&[("order-api", "a:1", at(-60))]).is_empty(), "it was there before the first look");
        assert!(look(&[]).is_empty(), "it is gone");
        assert!(look(&[("order-api", "a:1", at(-60) + 1.0)]).is_empty(), "and back: a scrape failed");
        assert_eq!(look(&[("order-api", "a:1", at(5))]), ["order-api (a:1) started again"]);
        assert_eq!(look(&[("order-api", "a:2", at(7))]), ["order-api (a:2) was added"]);
        assert!(look(&[("order-worker", "b:1", at(-300))]).is_empty(), "it was found late");
    }
}
