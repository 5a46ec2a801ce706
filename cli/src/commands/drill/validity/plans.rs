//! Whether two runs with one seed are the same: every fault that a run set, with all that decides what it
//! hits. A fault decides from its seed alone (`chassis/faults`), so the same plans are the same decisions.

use std::collections::BTreeSet;

use switchboard::{Plan, Replica};

/// What a run set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plans(BTreeSet<String>);

impl Plans {
    /// Looks at every replica, and remembers. One that does not answer is being started again.
    pub(super) async fn look(&mut self, replicas: &[Replica]) {
        for replica in replicas {
            let points = replica.faults().await.unwrap_or_default();
            let on = points.iter().filter_map(|point| Some((&point.name, point.active.as_ref()?)));
            self.0.extend(on.filter_map(|(name, plan)| Some(format!("{replica}: {name} {}", words(plan)?))));
        }
    }

    /// Whether no fault was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What one of two runs has and the other has not; nothing if they are the same.
    pub(super) fn differ(&self, other: &Self) -> Option<String> {
        let only: Vec<&str> = self.0.symmetric_difference(&other.0).map(String::as_str).collect();
        (!only.is_empty()).then(|| only.join("; "))
    }
}

/// Rate and parameters, the seed among them, without what passes with time; nothing for what is on from the
/// start.
fn words(plan: &Plan) -> Option<String> {
    plan.expires_at.as_ref()?;
    let own = plan.parameters.iter().filter(|(name, _)| *name != "ttl");
    let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
    Some(format!("rate={} {}", plan.rate, own.join(" ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(seed: &str, expires: Option<&str>) -> Plan {
        serde_json::from_value(json!({
            "rate": 0.3, "parameters": { "seed": seed, "status": "500", "ttl": "10m" },
            "expires_at": expires, "seconds_left": 12.5,
        }))
        .unwrap()
    }

    #[test]
    fn plans_are_the_same_if_their_seed_is_and_whatever_time_is_left() {
        let of = |seed: &str, expires: &str| Plans([words(&plan(seed, Some(expires))).unwrap()].into());
        assert_eq!(of("7", "2026-11-21T10:00:00Z").differ(&of("7", "2026-11-21T11:00:00Z")), None);
        let differ = of("7", "2026-11-21T10:00:00Z").differ(&of("8", "2026-11-21T10:00:00Z")).unwrap();
        assert!(differ.contains("seed=\"7\"") && differ.contains("seed=\"8\""), "{differ}");
        assert_eq!(words(&plan("7", None)), None, "what is on from the start belongs to no run");
    }
}
