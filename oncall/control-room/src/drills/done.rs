//! What a viewer may read of what was done in a run.

use drill::{Act, engine::Record, names::RuleState};

/// What was done, as the drill says it.
pub(super) fn acts(record: &Record) -> Vec<String> {
    record.acts.iter().map(|(_, act)| act.to_string()).collect()
}

/// The same for those who may not know what the drill names, its numbers, rules and replicas: see `acts::act_of`.
pub(super) fn sealed_acts(record: &Record) -> Vec<String> {
    let text = |act: &Act| match act {
        Act::Scale { service, .. } => Some(format!("scale {service}")),
        Act::Load { .. } => Some("limit the load".to_owned()),
        Act::Limit { service, rps: Some(_) } => Some(format!("limit every client of {service}")),
        Act::Rule { service, to: RuleState::Restored, .. } => {
            Some(format!("take back what was set in the firewall of {service}"))
        }
        // Only a replica that the drill names is here at all.
        Act::Restart { service } if is_replica(service) => None,
        act => Some(act.to_string()),
    };
    record.acts.iter().filter_map(|(_, act)| text(act)).collect()
}

/// Whether a name is that of one of several replicas.
fn is_replica(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once('-').is_some_and(|(_, rest)| number(rest))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    #[test]
    fn what_only_the_drill_names_is_not_told_by_what_somebody_did() {
        let (edge, rule) = ("edge".to_owned(), "inline-script".to_owned());
        let restart = |service: &str| Act::Restart { service: service.to_owned() };
        let done = [
            Act::Rule { service: edge.clone(), rule: rule.clone(), to: RuleState::Restored },
            Act::Rule { service: edge, rule, to: RuleState::Off },
            restart("order-api-2"),
            restart("order-api"),
            Act::Load { rps: 25 },
        ];
        let acts = done.into_iter().map(|act| (Utc::now(), act)).collect();
        let told = sealed_acts(&Record { acts, ..Record::default() });
        assert_eq!(
            told,
            [
                "take back what was set in the firewall of edge",
                "set the rule inline-script of edge to off",
                "restart order-api",
                "limit the load",
            ]
        );
    }
}
