//! What a verb does, as a sentence for people.

use std::collections::BTreeMap;

use super::Verb;
use crate::reach::BlastRadius;

impl Verb {
    /// What it does, as a sentence without its subject.
    #[must_use]
    pub fn text(self, with: &BTreeMap<String, String>, reach: BlastRadius) -> String {
        let get = |name: &str| with.get(name).map_or("", String::as_str);
        let and = |before: &str, name: &str| match with.get(name) {
            Some(value) => format!("{before}{value}"),
            None => String::new(),
        };
        let service = get("service");
        let instance = || with.get("instance").map_or("its only replica", String::as_str);
        let state = || if get("enabled") == "true" { "on" } else { "off" };
        match self {
            Self::Restart => format!("restart {service}: {}", instance()),
            Self::Drain => {
                format!(
                    "drain {service}: {} gets no new requests for at most {}",
                    get("instance"),
                    get("ttl")
                )
            }
            Self::Undrain => format!("send {service} requests again: {}", instance()),
            Self::Restore => format!(
                "restore {reach} of {} to {}: what was written after that moment is lost",
                get("instance"),
                get("to")
            ),
            Self::Scale => format!("change the number of replicas of {service} by {}", get("by")),
            Self::Protection => {
                let (name, state, time) = (get("name"), state(), and(" for ", "ttl"));
                format!("switch the protection {name} of {service} {state}{time}")
            }
            Self::EndSessions => format!(
                "end at most {reach} of database {}{} that have been {} for more than {}",
                get("database"),
                and(" of ", "application"),
                get("state").replace('-', " "),
                get("older_than")
            ),
            Self::PurgeKeys => {
                let over = with.get("ttl_over");
                let over =
                    over.map_or_else(String::new, |over| format!(" that would stay for more than {over}"));
                format!("remove at most {reach} of Redis that match {}{over}", get("pattern"))
            }
            Self::Redrive => format!("put at most {reach} of {service} back on their topic"),
            Self::RemoveFiles => format!("remove the files that {service} left in its data folder"),
            Self::Rollback => format!("take the change {} of {service} back", get("change")),
            Self::Silence => {
                format!("mute {}{} for {}", get("alert"), and(" of ", "service"), get("ttl"))
            }
            Self::ExpireSilence => format!("end the silence of {}{}", get("alert"), and(" of ", "service")),
            Self::SetRule => format!("set the rule {} of {service} to {}", get("rule"), get("mode")),
            Self::RestoreRule => format!("take back what was set for the rule {} of {service}", get("rule")),
            Self::SwitchFirewall => format!("switch the firewall of {service} {}", state()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::Unit;

    fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn people_read_what_it_does_and_how_far_it_reaches() {
        let reach = BlastRadius { most: Some(20), unit: Unit::Sessions };
        let fields = with(&[("database", "orders"), ("state", "idle-in-transaction"), ("older_than", "10s")]);
        assert_eq!(
            Verb::EndSessions.text(&fields, reach),
            "end at most 20 sessions of database orders that have been idle in transaction for more than 10s"
        );
        let one = BlastRadius { most: Some(1), unit: Unit::Replicas };
        let all = BlastRadius { most: None, unit: Unit::Replicas };
        assert_eq!((one.to_string(), all.to_string()), ("1 replica".to_owned(), "all replicas".to_owned()));
        let fields = with(&[("service", "edge"), ("rule", "scanners"), ("mode", "off")]);
        assert_eq!(Verb::SetRule.text(&fields, all), "set the rule scanners of edge to off");
        let fields = with(&[("service", "edge"), ("enabled", "false")]);
        assert_eq!(Verb::SwitchFirewall.text(&fields, all), "switch the firewall of edge off");
        let fields = with(&[("service", "order-api")]);
        assert_eq!(Verb::Restart.text(&fields, one), "restart order-api: its only replica");
        let fields = with(&[("service", "order-api"), ("instance", "127.0.0.1:9131"), ("ttl", "10m")]);
        let drained = "drain order-api: 127.0.0.1:9131 gets no new requests for at most 10m";
        assert_eq!(Verb::Drain.text(&fields, one), drained);
        assert_eq!(Verb::Undrain.text(&fields, one), "send order-api requests again: 127.0.0.1:9131");
        let fields = with(&[("instance", "a/.lab"), ("to", "latest")]);
        let databases = BlastRadius { most: None, unit: Unit::Databases };
        assert_eq!(
            Verb::Restore.text(&fields, databases),
            "restore all databases of a/.lab to latest: what was written after that moment is lost"
        );
    }
}
