//! What a responder can do to the system. The same words are in a drill's file, in its journal and in its report; a
//! program maps each to its port for actions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{Guarded, RuleState};

/// One action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// Stops a service in order and starts it again.
    Restart {
        /// The service, or one of its replicas.
        service: String,
    },
    /// Takes a change of the drill back.
    Rollback {
        /// Its name.
        change: String,
    },
    /// Switches a protection.
    Protect {
        /// The service.
        service: String,
        /// The protection.
        protection: String,
        /// On or off.
        on: bool,
    },
    /// Ends the sessions of a database that hold a transaction and do nothing.
    EndSessions {
        /// The database.
        database: String,
    },
    /// Empties the cache.
    FlushCache,
    /// Removes what a service has left in its data folder.
    RemoveFiles {
        /// The service.
        service: String,
    },
    /// Puts the dead letters of a service back on their topic.
    Redrive {
        /// The service.
        service: String,
    },
    /// Sets the number of replicas of a service.
    Scale {
        /// The service.
        service: String,
        /// How many.
        replicas: u32,
    },
    /// Lets in at most this many requests per second.
    Load {
        /// How many.
        rps: u32,
    },
    /// Silences an alert.
    Silence {
        /// The alert.
        alert: String,
    },
    /// Changes what a rule of the firewall does, in every edge.
    Rule {
        /// The edge.
        service: String,
        /// The rule.
        rule: String,
        /// What it does afterwards.
        to: RuleState,
    },
    /// The kill switch of the firewall, in every edge.
    Firewall {
        /// The edge.
        service: String,
        /// On or off.
        on: bool,
    },
    /// Starts a part of the lab that is stopped.
    Start {
        /// The part.
        part: String,
    },
    /// Restores the databases from the newest backup, and from the log that was archived after it.
    Restore,
    /// Fences the primary of PostgreSQL and promotes its replica, whatever the replica has not received.
    Failover,
    /// Something that a guard refuses: it is tried, and nothing changes.
    Refused {
        /// What.
        what: Guarded,
    },
    /// Limits every client at the edge.
    Limit {
        /// The edge.
        service: String,
        /// Requests per second for each client; none ends the limit.
        rps: Option<u32>,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart { service } => write!(f, "restart {service}"),
            Self::Rollback { change } => write!(f, "roll back {change}"),
            Self::Protect { service, protection, on } => {
                write!(f, "switch {protection} of {service} {}", if *on { "on" } else { "off" })
            }
            Self::EndSessions { database } => write!(f, "end the idle transactions in {database}"),
            Self::FlushCache => f.write_str("empty the cache"),
            Self::RemoveFiles { service } => write!(f, "remove the files of {service}"),
            Self::Redrive { service } => write!(f, "re-drive the dead letters of {service}"),
            Self::Scale { service, replicas } => write!(f, "scale {service} to {replicas}"),
            Self::Load { rps } => write!(f, "limit the load to {rps} requests per second"),
            Self::Silence { alert } => write!(f, "silence {alert}"),
            Self::Rule { service, rule, to: RuleState::Restored } => {
                write!(f, "take back what was set for the rule {rule} of {service}")
            }
            Self::Rule { service, rule, to } => write!(f, "set the rule {rule} of {service} to {to}"),
            Self::Firewall { service, on } => {
                write!(f, "switch the firewall of {service} {}", if *on { "on" } else { "off" })
            }
            Self::Start { part } => write!(f, "start {part}"),
            Self::Restore => f.write_str("restore the databases from the newest backup"),
            Self::Failover => f.write_str("fail over to the replica of the database"),
            Self::Refused { what: Guarded::RestoreOfAnother } => {
                f.write_str("restore another instance from this terminal")
            }
            Self::Refused { what: Guarded::StartOldPrimary } => f.write_str("start the old primary again"),
            Self::Limit { service, rps: Some(rps) } => {
                write!(f, "limit every client of {service} to {rps} requests per second")
            }
            Self::Limit { service, rps: None } => write!(f, "end the limit for clients of {service}"),
        }
    }
}
