//! Everything that a runbook may do to the system: a closed list. Each verb has typed fields, says how far it reaches,
//! and what it takes away. What is not here cannot be written in a runbook.

mod text;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{parameter::Kind, reach::Unit};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// What is done.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumCount,
    strum::VariantArray,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verb {
    /// Restarts the process of one replica.
    Restart,
    /// Takes one replica out of the balancing: it gets no new requests.
    Drain,
    /// Puts a drained replica back.
    Undrain,
    /// Adds replicas of a service, or takes some away.
    Scale,
    /// Switches a protection on or off, in all replicas.
    Protection,
    /// Ends sessions of PostgreSQL.
    EndSessions,
    /// Removes keys of Redis.
    PurgeKeys,
    /// Puts dead letters back on the topic that they came from.
    Redrive,
    /// Removes files that a service left in its data folder; never its own data.
    RemoveFiles,
    /// Takes the databases back to an earlier moment, from a backup.
    Restore,
    /// Takes a change of the system back: a release, a flag, configuration.
    Rollback,
    /// Mutes an alert for some time.
    Silence,
    /// Ends such a silence.
    ExpireSilence,
    /// Changes what a rule of the firewall does, in every edge. Its searches end.
    SetRule,
    /// Takes back what was set for a rule of the firewall, in every edge.
    RestoreRule,
    /// The kill switch of the firewall, in every edge.
    SwitchFirewall,
}

/// A field of a verb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name below `with`.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
}

fn needs(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, optional: false }
}

/// One that is needed, and is a word.
fn word(name: &'static str) -> Field {
    needs(name, Kind::Word)
}

fn takes(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, optional: true }
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// The verb of this name.
    ///
    /// # Errors
    /// The names that there are.
    pub fn named(name: &str) -> Result<Self, String> {
        name.parse().map_err(|_| {
            let names = Self::ALL.map(|verb| verb.to_string());
            format!("`{name}` is not a verb: expected one of {}", names.join(", "))
        })
    }

    /// Its fields.
    #[must_use]
    pub fn fields(self) -> Vec<Field> {
        let time = |least, most| Kind::Duration { least, most };
        match self {
            // Without `instance`: the only replica; refused where there are several.
            Self::Restart | Self::Undrain => {
                vec![word("service"), takes("instance", Kind::Word)]
            }
            // `ttl`: then it is back by itself, whatever becomes of the run.
            Self::Drain => {
                vec![word("service"), word("instance"), needs("ttl", time(Duration::from_secs(1), HOUR))]
            }
            // `instance`: the name of the lab whose data is replaced, typed by a person. `to`: `latest`, or a moment.
            Self::Restore => vec![word("instance"), word("to")],
            Self::Scale => {
                vec![word("service"), needs("by", Kind::choice(&["-3", "-2", "-1", "1", "2", "3"]))]
            }
            Self::Protection => vec![
                word("service"),
                word("name"),
                needs("enabled", Kind::choice(&["true", "false"])),
                // How long it stays off.
                takes("ttl", time(Duration::from_secs(1), HOUR)),
            ],
            Self::EndSessions => vec![
                word("database"),
                needs("state", Kind::choice(&["idle", "idle-in-transaction", "active"])),
                // For how long a session has been in this state.
                needs("older_than", time(Duration::from_secs(1), 24 * HOUR)),
                takes("application", Kind::Word),
            ],
            // `ttl_over`: only keys that would stay for longer than this, or without an end.
            Self::PurgeKeys => {
                vec![word("pattern"), takes("ttl_over", time(Duration::from_secs(1), 24 * HOUR))]
            }
            Self::Redrive | Self::RemoveFiles => vec![word("service")],
            // `change`: its name, as the list of changes has it.
            Self::Rollback => vec![word("service"), word("change")],
            Self::Silence => {
                vec![word("alert"), takes("service", Kind::Word), needs("ttl", time(MINUTE, 24 * HOUR))]
            }
            Self::ExpireSilence => vec![word("alert"), takes("service", Kind::Word)],
            Self::SetRule => vec![
                word("service"),
                word("rule"),
                needs("mode", Kind::choice(&["off", "simulate", "enforce"])),
            ],
            Self::RestoreRule => vec![word("service"), word("rule")],
            Self::SwitchFirewall => {
                vec![word("service"), needs("enabled", Kind::choice(&["true", "false"]))]
            }
        }
    }

    /// What its reach is counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Restart
            | Self::Drain
            | Self::Undrain
            | Self::Scale
            | Self::Protection
            | Self::RemoveFiles
            | Self::Rollback
            | Self::SetRule
            | Self::RestoreRule
            | Self::SwitchFirewall => Unit::Replicas,
            Self::Restore => Unit::Databases,
            Self::EndSessions => Unit::Sessions,
            Self::PurgeKeys => Unit::Keys,
            Self::Redrive => Unit::Messages,
            Self::Silence | Self::ExpireSilence => Unit::Alerts,
        }
    }

    /// The farthest that a runbook may let it reach; none means all of them.
    #[must_use]
    pub const fn farthest(self) -> Option<u32> {
        match self {
            // One replica after the other, each proven healthy before the next.
            Self::Restart | Self::Drain | Self::Undrain | Self::Silence | Self::ExpireSilence => Some(1),
            Self::Scale => Some(3),
            Self::Protection
            | Self::RemoveFiles
            | Self::Restore
            | Self::Rollback
            | Self::SetRule
            | Self::RestoreRule
            | Self::SwitchFirewall => None,
            Self::EndSessions => Some(100),
            Self::PurgeKeys => Some(1_000_000),
            Self::Redrive => Some(10_000),
        }
    }

    /// What guardrails count it against: the service, or the store that all services share.
    #[must_use]
    pub fn target(self, with: &BTreeMap<String, String>) -> String {
        match self {
            Self::Restart
            | Self::Drain
            | Self::Undrain
            | Self::Scale
            | Self::Protection
            | Self::Redrive
            | Self::RemoveFiles
            | Self::Rollback
            | Self::SetRule
            | Self::RestoreRule
            | Self::SwitchFirewall => with.get("service").cloned().unwrap_or_default(),
            Self::EndSessions | Self::Restore => "postgres".to_owned(),
            Self::PurgeKeys => "redis".to_owned(),
            Self::Silence | Self::ExpireSilence => "alertmanager".to_owned(),
        }
    }

    /// How many healthy replicas are missing while it is done, or afterwards. `healthy` says whether the replica that
    /// is restarted or drained is healthy.
    #[must_use]
    pub fn takes_away(self, with: &BTreeMap<String, String>, healthy: bool) -> u32 {
        match self {
            Self::Restart | Self::Drain => u32::from(healthy),
            Self::Scale => {
                let by = with.get("by").and_then(|by| by.parse::<i64>().ok()).unwrap_or_default();
                u32::try_from(-by).unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// Whether a second person always has to approve it, in every mode and whatever the guardrails say: what it takes away
    /// does not come back.
    #[must_use]
    pub const fn needs_approval(self) -> bool {
        matches!(self, Self::Restore)
    }

    /// Whether it lasts until something takes it back: the replica is missing for as long.
    #[must_use]
    pub const fn lasts(self) -> bool {
        matches!(self, Self::Drain)
    }

    /// Whether replicas stop because of it, or get no requests: never for two replicas of a service at once.
    #[must_use]
    pub fn stops_replicas(self, with: &BTreeMap<String, String>) -> bool {
        self.takes_away(with, true) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_verb_is_read_as_it_is_written() {
        for verb in Verb::ALL {
            assert_eq!(Verb::named(&verb.to_string()), Ok(verb));
            assert_eq!(serde_json::to_string(&verb).unwrap(), format!("\"{verb}\""));
        }
        assert!(Verb::named("delete").unwrap_err().contains("expected one of restart, drain, "));
    }

    #[test]
    fn only_what_stops_a_healthy_replica_takes_one_away() {
        assert_eq!(Verb::Restart.takes_away(&with(&[]), true), 1);
        assert_eq!(Verb::Restart.takes_away(&with(&[]), false), 0, "it serves nobody as it is");
        assert_eq!(Verb::Scale.takes_away(&with(&[("by", "-2")]), true), 2);
        assert_eq!(Verb::Scale.takes_away(&with(&[("by", "2")]), true), 0);
        assert!(!Verb::Protection.stops_replicas(&with(&[])));
        assert_eq!(Verb::Drain.takes_away(&with(&[]), true), 1, "it serves nobody meanwhile");
        assert_eq!(Verb::Undrain.takes_away(&with(&[]), true), 0);
    }

    #[test]
    fn nobody_restores_alone() {
        let alone: Vec<Verb> = Verb::ALL.into_iter().filter(|verb| verb.needs_approval()).collect();
        assert_eq!(alone, [Verb::Restore]);
    }
}
