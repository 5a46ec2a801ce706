//! The firewall of an edge and its limit for all clients, over the admin port, as `lab waf` does. Every change lasts
//! until the process ends or it is taken back.

use std::{ops::RangeInclusive, time::Duration};

use super::{Action, time};
use crate::{Error, Firewall, Replica, Result, Rule};

/// Requests per second that the edge accepts as a limit.
const RATES: RangeInclusive<f64> = 0.01..=1_000_000.0;
/// How long a rule may be in the first edge only: long enough for two looks.
const FIRST: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// Refuses what no edge would accept.
pub(super) fn check(action: &Action) -> Result<()> {
    match action {
        Action::LimitClients { rps: Some(rps), .. } if !RATES.contains(rps) => Err(Error::Wrong {
            field: "rps",
            expected: format!("expected a number from 0.01 to 1000000, found {rps}"),
        }),
        Action::LimitClients { burst: Some(0), .. } => {
            Err(Error::Wrong { field: "burst", expected: "expected 1 or more, found 0".to_owned() })
        }
        Action::PushRule { file, .. } if file.trim().is_empty() => {
            Err(Error::Wrong { field: "file", expected: "empty: expected the file of a rule".to_owned() })
        }
        Action::PushRule { canary: Some(canary), .. } => match time::of("canary", canary)? {
            lasts if FIRST.contains(&lasts) => Ok(()),
            _ => Err(Error::Wrong {
                field: "canary",
                expected: format!("expected a time from 1s to 1h, such as 10s, found `{canary}`"),
            }),
        },
        _ => Ok(()),
    }
}

/// Does it in one edge, and says what is in force now; nothing for an action that is not about the firewall.
pub(super) async fn at(action: &Action, edge: &Replica) -> Result<Option<String>> {
    Ok(Some(match action {
        Action::PushRule { rule, file, .. } => now(&edge.push_rule(rule, file.clone()).await?),
        Action::SetRule { rule, mode, .. } => now(&edge.set_rule_mode(rule, mode.name()).await?),
        Action::RestoreRule { rule: Some(rule), .. } => {
            let has = edge.firewall().await?.rules.iter().any(|known| known.id == *rule);
            // A rule that was only pushed is gone once it was taken back.
            if has { state(&edge.restore_rule(rule).await?) } else { format!("has no rule {rule}") }
        }
        Action::RestoreRule { rule: None, .. } => state(&edge.restore_firewall().await?),
        Action::SwitchFirewall { enabled, .. } => state(&edge.switch_firewall(*enabled).await?),
        Action::LimitClients { rps: Some(rps), burst, .. } => {
            let burst = burst.unwrap_or_else(|| a_second(*rps));
            edge.limit_clients(*rps, burst).await?;
            format!("every client has {rps} requests per second, and {burst} at once")
        }
        Action::LimitClients { rps: None, .. } => {
            edge.unlimit_clients().await?;
            "only the limits of the routes apply".to_owned()
        }
        _ => return Ok(None),
    }))
}

/// Whether it would work in one edge, and what would happen; nothing for an action that is not about the firewall.
pub(super) async fn would(action: &Action, edge: &Replica) -> Result<Option<(bool, String)>> {
    let is_about = matches!(
        action,
        Action::PushRule { .. }
            | Action::SetRule { .. }
            | Action::RestoreRule { .. }
            | Action::SwitchFirewall { .. }
            | Action::LimitClients { .. }
    );
    if !is_about {
        return Ok(None);
    }
    let firewall = edge.firewall().await?;
    let known = |rule: &str| firewall.rules.iter().find(|known| known.id == rule);
    Ok(Some(match action {
        Action::PushRule { rule, .. } => match known(rule) {
            Some(found) => (true, format!("{}; its file would be replaced", now(found))),
            None => (true, format!("would get the rule {rule}")),
        },
        Action::SetRule { rule, mode, .. } => match known(rule) {
            Some(found) => (true, format!("{}; it would be {}", now(found), mode.name())),
            None => (false, no_rule(rule, &firewall)),
        },
        Action::RestoreRule { rule: Some(rule), .. } => match known(rule) {
            Some(found) if found.pushed => (true, format!("{}; it would be gone", now(found))),
            Some(found) => (true, format!("{}; it would be {}", now(found), found.mode_of_file)),
            None => (false, no_rule(rule, &firewall)),
        },
        Action::LimitClients { .. } => (true, "would change the limit of every client".to_owned()),
        _ => (true, format!("now: {}", state(&firewall))),
    }))
}

fn no_rule(rule: &str, firewall: &Firewall) -> String {
    let known: Vec<&str> = firewall.rules.iter().map(|rule| rule.id.as_str()).collect();
    format!("has no rule `{rule}`; there are: {}", known.join(", "))
}

/// What a rule does now.
pub(super) fn now(rule: &Rule) -> String {
    format!("the rule {} is {}", rule.id, if rule.mode == "off" { "off" } else { "in force" })
}

fn state(firewall: &Firewall) -> String {
    let count = firewall.rules.iter().filter(|rule| rule.mode != "off").count();
    format!("the firewall is {}, {count} rules are in force", if firewall.enabled { "on" } else { "off" })
}

/// The requests of a second, at least one.
fn a_second(rps: f64) -> u32 {
    // In range: `check` refuses more than a million.
    rps.ceil().clamp(1.0, 1_000_000.0) as u32
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::RuleMode;

    #[test]
    fn a_limit_is_a_rate_that_an_edge_accepts() {
        let limit = |rps, burst| Action::LimitClients { target: "edge".to_owned(), rps: Some(rps), burst };
        assert!(check(&limit(20.0, None)).is_ok());
        for (rps, burst, said) in
            [(0.0, None, "rps: expected a number"), (f64::NAN, None, "rps: "), (1.0, Some(0), "burst: ")]
        {
            let refused = check(&limit(rps, burst)).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
        assert_eq!((a_second(0.2), a_second(19.5), a_second(20.0)), (1, 20, 20));
    }

    #[test]
    fn a_first_step_lasts_long_enough_to_see_something() {
        let push = |file: &str, canary: &str| {
            let (target, rule) = ("edge".to_owned(), "scanners".to_owned());
            let (file, canary) = (file.to_owned(), Some(canary.to_owned()));
            check(&Action::PushRule { target, rule, file, canary }).map_err(|error| error.to_string())
        };
        assert_eq!(push("id: scanners", "10s"), Ok(()));
        assert!(push(" ", "10s").unwrap_err().starts_with("file: empty"));
        for wrong in ["0s", "2h", "soon"] {
            let refused = push("id: scanners", wrong).unwrap_err();
            assert!(refused.starts_with("canary: expected a time"), "{refused}");
        }
    }

    #[test]
    fn a_mode_is_written_as_the_edge_has_it() {
        for mode in RuleMode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), json!(mode.name()));
        }
    }
}
