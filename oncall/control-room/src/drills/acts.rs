//! What a person, a runbook or an agent did to the system, in the words of drills. Pure.
//!
//! Numbers that people choose are mapped to those that the drill names: who lets in fewer requests than the
//! drill says has limited the load as well.

use drill::{Act, Drill, model::Weakened, names::RuleState};
use switchboard::{Action, RuleMode, SessionState};

use crate::config::Instance;

/// What an action is in this drill; none if drills have no word for it, or if it reached a part of a service
/// only.
pub(super) fn act_of(action: &Action, drill: &Drill, instances: &[Instance]) -> Option<Act> {
    let whole = |target: &str| service_of(target, instances);
    Some(match action {
        Action::Restart { target } => restarted(drill, target, instances)?,
        Action::Rollback { change } => Act::Rollback { change: change.clone() },
        Action::SetProtection { target, name, enabled, .. } => {
            // Off in one replica is not as it was: the reset has to know of it.
            let service =
                if *enabled { guarded(drill, target, name, instances)? } else { owner_of(target, instances) };
            Act::Protect { service, protection: name.clone(), on: *enabled }
        }
        Action::EndSessions { database, state: SessionState::IdleInTransaction, .. } => {
            Act::EndSessions { database: database.clone() }
        }
        Action::PurgeKeys { pattern, ttl_over: None, .. } if pattern == "*" => Act::FlushCache,
        Action::RemoveFiles { target } => Act::RemoveFiles { service: whole(target)? },
        Action::Redrive { target, .. } => Act::Redrive { service: whole(target)? },
        Action::Scale { target, replicas } => scaled(drill, whole(target)?, *replicas),
        Action::SetLoad { rps } => limited(drill, rps.max(0.0).round() as u32),
        Action::Silence { alert, .. } => Act::Silence { alert: alert.clone() },
        // The reset restores every firewall, so that only what helps has to be known.
        Action::SwitchFirewall { target, enabled } => Act::Firewall { service: whole(target)?, on: *enabled },
        Action::SetRule { target, rule, mode } => {
            Act::Rule { service: whole(target)?, rule: rule.clone(), to: state(*mode) }
        }
        Action::RestoreRule { target, rule } => rule_back(drill, whole(target)?, rule.as_deref())?,
        Action::StartPart { target } => Act::Start { part: target.clone() },
        // To any moment: what counts is whether users are served afterwards.
        Action::Restore { .. } => Act::Restore,
        // With force or without: what counts is that the replica is the primary.
        Action::Failover { .. } => Act::Failover,
        Action::LimitClients { target, rps, .. } => limited_at(drill, whole(target)?, *rps),
        _ => return None,
    })
}

/// The service that has a protection again: as a whole, or in the only replica where the drill has switched it off.
fn guarded(drill: &Drill, target: &str, protection: &str, instances: &[Instance]) -> Option<String> {
    let is_only = |weak: &&Weakened| {
        weak.replica.is_some() && weak.protection == protection && same(&weak.target(), target)
    };
    let only = drill.weakened.iter().find(is_only).map(|weak| weak.service.clone());
    service_of(target, instances).or(only)
}

/// A restart of a whole service, or of a replica that the drill names.
fn restarted(drill: &Drill, target: &str, instances: &[Instance]) -> Option<Act> {
    if let Some(service) = service_of(target, instances) {
        return Some(Act::Restart { service });
    }
    let is_part = |name: &str| service_of(name, instances).is_none() && same(name, target);
    let mut parts = named(drill).filter_map(|act| match act {
        Act::Restart { service } if is_part(service) => Some(service.clone()),
        _ => None,
    });
    parts.next().map(|service| Act::Restart { service })
}

/// Whether two names mean one instance: the first one is also called by its number.
fn same(one: &str, other: &str) -> bool {
    let first = |name: &str| name.strip_suffix("-1").map_or_else(|| name.to_owned(), str::to_owned);
    first(one) == first(other)
}

const fn state(mode: RuleMode) -> RuleState {
    match mode {
        RuleMode::Off => RuleState::Off,
        RuleMode::Simulate => RuleState::Simulate,
        RuleMode::Enforce => RuleState::Enforce,
    }
}

/// A rule that was taken back; if all were, the one that the drill names.
fn rule_back(drill: &Drill, service: String, rule: Option<&str>) -> Option<Act> {
    let of_drill = || {
        named(drill).find_map(|act| match act {
            Act::Rule { service: of, rule, to: RuleState::Restored } if *of == service => Some(rule.clone()),
            _ => None,
        })
    };
    let rule = rule.map(str::to_owned).or_else(of_drill)?;
    Some(Act::Rule { service, rule, to: RuleState::Restored })
}

/// As few requests for each client as the drill names, or fewer, are what it names.
fn limited_at(drill: &Drill, service: String, rps: Option<f64>) -> Act {
    let Some(rps) = rps else { return Act::Limit { service, rps: None } };
    let rps = rps.max(1.0).round() as u32;
    let fits = named(drill).filter_map(|act| match act {
        Act::Limit { service: of, rps: Some(named) } if *of == service && *named >= rps => Some(*named),
        _ => None,
    });
    let rps = Some(fits.min().unwrap_or(rps));
    Act::Limit { service, rps }
}

/// The instance that a target means, or the first one of its service.
fn meant<'i>(target: &str, instances: &'i [Instance]) -> Option<&'i Instance> {
    // The first instance has the name of its service, and is also called by its number.
    let first = |one: &Instance| one.name == one.service && target.strip_suffix("-1") == Some(&*one.service);
    instances.iter().find(|one| one.name == target || one.service == target || first(one))
}

/// The service of a target, whether it means all of it or a part.
fn owner_of(target: &str, instances: &[Instance]) -> String {
    meant(target, instances).map_or_else(|| target.to_owned(), |known| known.service.clone())
}

/// The service that a target means as a whole.
fn service_of(target: &str, instances: &[Instance]) -> Option<String> {
    let Some(known) = meant(target, instances) else { return Some(target.to_owned()) };
    let count = instances.iter().filter(|one| one.service == known.service).count();
    (target == known.service || count == 1).then(|| known.service.clone())
}

/// Every action that the drill names.
fn named(drill: &Drill) -> impl Iterator<Item = &Act> {
    let of = &drill.mitigations;
    let accepted = of.accepted.iter().map(|one| &one.act);
    accepted.chain(of.harmful.iter().map(|one| &one.act)).chain(of.wrong.iter().map(|one| &one.act))
}

/// As many replicas as the drill names, or more, are what it names.
fn scaled(drill: &Drill, service: String, replicas: u32) -> Act {
    let fits = named(drill).filter_map(|act| match act {
        Act::Scale { service: of, replicas: named } if *of == service && *named <= replicas => Some(*named),
        _ => None,
    });
    let replicas = fits.max().unwrap_or(replicas);
    Act::Scale { service, replicas }
}

/// As few requests as the drill names, or fewer, are what it names.
fn limited(drill: &Drill, rps: u32) -> Act {
    let fits = named(drill).filter_map(|act| match act {
        Act::Load { rps: named } if *named >= rps => Some(*named),
        _ => None,
    });
    Act::Load { rps: fits.min().unwrap_or(rps) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{content::Content, drills::library::Library};

    fn drill(name: &str) -> std::sync::Arc<Drill> {
        Library::new(&Content::open(None).unwrap()).find(name).unwrap().0
    }

    fn instances() -> Vec<Instance> {
        let all = ["order-api", "order-worker", "order-worker-2@order-worker"];
        all.iter().map(|name| format!("{name}=http://127.0.0.1:1").parse().unwrap()).collect()
    }

    fn act(action: &Action) -> Option<String> {
        act_of(action, &drill("first-page"), &instances()).map(|act| act.to_string())
    }

    fn restart(target: &str) -> Action {
        Action::Restart { target: target.to_owned() }
    }

    #[test]
    fn a_restart_counts_if_it_reached_the_whole_service() {
        assert_eq!(act(&restart("order-api")).as_deref(), Some("restart order-api"));
        assert_eq!(act(&restart("order-worker")).as_deref(), Some("restart order-worker"));
        for part in ["order-worker-1", "order-worker-2"] {
            assert_eq!(act(&restart(part)), None, "the other one runs as before");
        }
        assert_eq!(act(&restart("order-api-1")).as_deref(), Some("restart order-api"));
        assert_eq!(act(&restart("postgres")).as_deref(), Some("restart postgres"));
    }

    #[test]
    fn what_people_do_is_what_a_drill_calls_it() {
        let protect = Action::SetProtection {
            target: "order-api".to_owned(),
            name: "timeout".to_owned(),
            enabled: true,
            ttl: None,
        };
        assert_eq!(act(&protect).as_deref(), Some("switch timeout of order-api on"));
        let part = |enabled: bool| Action::SetProtection {
            target: "order-worker-2".to_owned(),
            name: "retry".to_owned(),
            enabled,
            ttl: None,
        };
        assert_eq!(act(&part(false)).as_deref(), Some("switch retry of order-worker off"));
        assert_eq!(act(&part(true)), None, "the other one may still be without it");
        let start = Action::StartPart { target: "postgres".to_owned() };
        assert_eq!(act(&start).as_deref(), Some("start postgres"));
        let over = Action::Failover { instance: "a/.lab".to_owned(), force: false };
        assert_eq!(act(&over).as_deref(), Some("fail over to the replica of the database"));
        let back = Action::Rollback { change: "order-api-1-8".to_owned() };
        assert_eq!(act(&back).as_deref(), Some("roll back order-api-1-8"));
        let purge = |pattern: &str| {
            let pattern = pattern.to_owned();
            Action::PurgeKeys { pattern, ttl_over: None, most: None }
        };
        assert_eq!(act(&purge("*")).as_deref(), Some("empty the cache"));
        assert_eq!(act(&purge("user:1")), None, "one key is not the cache");
        let set = Action::SetFault {
            target: "order-api".to_owned(),
            fault: "http-error".to_owned(),
            parameters: BTreeMap::new(),
        };
        assert_eq!(act(&set), None);
    }

    #[test]
    fn what_is_done_at_the_edge_is_what_the_drill_calls_it() {
        let outage = drill("cdn-waf-outage");
        let edges: Vec<Instance> = ["edge", "edge-2@edge"]
            .iter()
            .map(|name| format!("{name}=http://127.0.0.1:1").parse().unwrap())
            .collect();
        let act = |value: serde_json::Value| {
            let action: Action = serde_json::from_value(value).unwrap();
            act_of(&action, &outage, &edges).map(|act| act.to_string())
        };
        let rule = |target: &str, mode: &str| json!({ "action": "set_rule", "target": target, "rule": "inline-script", "mode": mode });
        let off = "set the rule inline-script of edge to off";
        assert_eq!(act(rule("edge", "off")).as_deref(), Some(off));
        assert_eq!(act(rule("edge-2", "off")), None, "the other one is stuck as before");
        let kill = |target: &str| json!({ "action": "switch_firewall", "target": target, "enabled": false });
        assert_eq!(act(kill("edge")).as_deref(), Some("switch the firewall of edge off"));
        assert_eq!(act(kill("edge-2")), None);
        let guard = |target: &str| json!({ "action": "set_protection", "target": target, "name": "regex-guard", "enabled": true });
        let guarded = "switch regex-guard of edge on";
        assert_eq!(act(guard("edge")).as_deref(), Some(guarded));
        assert_eq!(act(guard("edge-2")).as_deref(), Some(guarded), "the other one has it");
        assert_eq!(act(guard("edge-1")), None, "it was on there");
        let restart = |target: &str| json!({ "action": "restart", "target": target });
        assert_eq!(act(restart("edge-2")).as_deref(), Some("restart edge-2"), "the drill calls it wrong");
        let limit = json!({ "action": "limit_clients", "target": "edge", "rps": 5.0 });
        assert_eq!(act(limit).as_deref(), Some("limit every client of edge to 25 requests per second"));
        let back = json!({ "action": "restore_rule", "target": "edge" });
        let expected = "take back what was set for the rule inline-script of edge";
        assert_eq!(act(back).as_deref(), Some(expected));
    }

    #[test]
    fn a_restart_of_one_replica_counts_if_the_drill_names_it() {
        let drill = drill("reload-helps");
        let three: Vec<Instance> = ["order-api", "order-api-2@order-api", "order-api-3@order-api"]
            .iter()
            .map(|name| format!("{name}=http://127.0.0.1:1").parse().unwrap())
            .collect();
        let act = |target: &str| act_of(&restart(target), &drill, &three).map(|act| act.to_string());
        assert_eq!(act("order-api-2").as_deref(), Some("restart order-api-2"));
        assert_eq!(act("order-api").as_deref(), Some("restart order-api"));
        assert_eq!(
            act("order-api-3").as_deref(),
            Some("restart order-api-3"),
            "it is named as one that was well"
        );
        assert_eq!(act("order-api-1"), None, "nobody says anything about this one");
    }

    #[test]
    fn numbers_are_those_of_the_drill_if_they_go_as_far() {
        let rush = drill("rush-hour");
        let load = |rps: f64| act_of(&Action::SetLoad { rps }, &rush, &[]);
        assert_eq!(load(30.2), Some(Act::Load { rps: 50 }), "fewer than the 50 that the drill calls wrong");
        assert_eq!(load(70.0), Some(Act::Load { rps: 70 }));
        let chairs = drill("musical-chairs");
        let scale = |replicas| {
            let action = Action::Scale { target: "order-worker".to_owned(), replicas };
            act_of(&action, &chairs, &[])
        };
        let scaled = |replicas| Some(Act::Scale { service: "order-worker".to_owned(), replicas });
        assert_eq!((scale(8), scale(2)), (scaled(6), scaled(2)));
    }
}
