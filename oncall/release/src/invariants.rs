//! What must hold of everything that a service does, and is checked by somebody else: no status and no latency tells.
//!
//! A version that computes wrong totals answers fast and successfully. order-worker computes the total of each order a second
//! time, and counts what it finds by the version that accepted the order. So the check is not part of what is released.

use std::collections::BTreeMap;

use crate::judge::Count;

/// The label whose value is the role of who did what was checked: `baseline` or `canary`.
const TRACK: &str = "track";

/// Something that must hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Invariant {
    /// What breaks it, as the judge calls it.
    pub name: &'static str,
    /// Who can break it.
    pub service: &'static str,
    /// The counter of what was checked.
    pub metric: &'static str,
    /// The label whose value says what was found, and the value if it was broken.
    pub broken: (&'static str, &'static str),
}

/// All of them.
pub const INVARIANTS: &[Invariant] = &[Invariant {
    name: "wrong-totals",
    service: "order-api",
    metric: "order_totals_checked_total",
    broken: ("result", "mismatch"),
}];

/// Those that a version of a service can break.
fn of(service: &str) -> impl Iterator<Item = &'static Invariant> {
    INVARIANTS.iter().filter(move |invariant| invariant.service == service)
}

/// The names of those that a version of a service can break: what its releases have to be judged by.
#[must_use]
pub fn names(service: &str) -> Vec<String> {
    of(service).map(|invariant| invariant.name.to_owned()).collect()
}

/// A query of Prometheus for the checks of what `role` of a service did; `within` are further matchers of labels, each with a
/// comma behind it. Nothing if no check of the service counts by role.
pub(crate) fn query(service: &str, role: &str, within: &str) -> Option<String> {
    let queries: Vec<String> =
        of(service).map(|invariant| format!("{}{{{within}{TRACK}=\"{role}\"}}", invariant.metric)).collect();
    (!queries.is_empty()).then(|| queries.join(" or "))
}

/// What was found so far, by the name of the invariant and by who checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks(BTreeMap<(&'static str, String), Count>);

impl Checks {
    /// Takes a series, if it is one of a check.
    pub(crate) fn take<'l>(&mut self, name: &str, value: u64, label: impl Fn(&str) -> Option<&'l str>) {
        let Some(invariant) = INVARIANTS.iter().find(|invariant| invariant.metric == name) else { return };
        let (found, broken) = invariant.broken;
        let bad = if label(found) == Some(broken) { value } else { 0 };
        let who = label("instance").unwrap_or_default().to_owned();
        self.0.entry((invariant.name, who)).or_default().add(Count { bad, all: value });
    }

    /// What was found since then, by name. Of one that checks, it counts only if it was there before and has not been started
    /// again since: what it had found earlier may be of another release.
    pub(crate) fn since(&self, before: &Self) -> BTreeMap<String, Count> {
        let mut shares = BTreeMap::new();
        for (key, now) in &self.0 {
            let Some(then) = before.0.get(key) else { continue };
            let (bad, all) = (now.bad.checked_sub(then.bad), now.all.checked_sub(then.all));
            if let (Some(bad), Some(all)) = (bad, all) {
                let share: &mut Count = shares.entry(key.0.to_owned()).or_default();
                share.add(Count { bad, all });
            }
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What these workers have counted, good and bad.
    fn checks(workers: &[(&str, u64, u64)]) -> Checks {
        let mut checks = Checks::default();
        for (who, good, bad) in workers {
            for (result, value) in [("match", *good), ("mismatch", *bad)] {
                let label = |name: &str| match name {
                    "instance" => Some(*who),
                    "result" => Some(result),
                    _ => None,
                };
                checks.take("order_totals_checked_total", value, label);
                checks.take("http_requests_total", 1000, label);
            }
        }
        checks
    }

    fn wrong(before: &[(&str, u64, u64)], now: &[(&str, u64, u64)]) -> Option<Count> {
        checks(now).since(&checks(before)).get("wrong-totals").copied()
    }

    #[test]
    fn the_checks_of_all_workers_are_added_up() {
        let grown = wrong(&[("a", 5, 1), ("b", 7, 0)], &[("a", 9, 3), ("b", 8, 0)]);
        assert_eq!(grown, Some(Count { bad: 2, all: 7 }));
    }

    #[test]
    fn a_worker_that_comes_back_or_starts_again_brings_nothing_of_earlier_releases() {
        assert_eq!(wrong(&[("a", 5, 0)], &[("a", 6, 0), ("b", 70, 50)]), Some(Count { bad: 0, all: 1 }));
        assert_eq!(
            wrong(&[("a", 5, 0), ("b", 70, 50)], &[("a", 6, 0), ("b", 3, 0)]),
            Some(Count { bad: 0, all: 1 })
        );
        assert_eq!(wrong(&[], &[("a", 6, 9)]), None);
    }

    #[test]
    fn only_a_service_whose_work_is_checked_has_a_query() {
        let expected = "order_totals_checked_total{namespace=\"lab\",track=\"canary\"}";
        assert_eq!(query("order-api", "canary", "namespace=\"lab\",").as_deref(), Some(expected));
        assert_eq!(query("user-service", "canary", ""), None);
        assert_eq!(
            (names("order-api"), names("user-service")),
            (vec!["wrong-totals".to_owned()], Vec::new())
        );
    }
}
