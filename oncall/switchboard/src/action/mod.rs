//! What changes the system: one enum for everything that a person, a runbook or an agent may ask for, so that
//! each has a name, a dry run, a run, and an undo where there is one. Here is the table of names; `perform.rs` does
//! what they say, with one file for each kind of act.
//!
//! An action tells for everything that it reaches what became of it.

mod canary;
mod drain;
mod failover;
mod files;
mod firewall;
mod keys;
mod load;
mod parts;
mod perform;
mod redrive;
mod restart;
mod restore;
mod rights;
mod scale;
mod sessions;
mod silence;
mod switches;
mod time;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{canary::costs as rule_costs, sessions::SessionState};
use crate::RuleMode;

/// A change of the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Switches a fault on, or changes the active one.
    SetFault {
        /// A service, or one of its replicas.
        target: String,
        /// Name of the fault.
        fault: String,
        /// Its parameters; absent ones have their default.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
    },
    /// Ends one fault.
    EndFault {
        /// A service, or one of its replicas.
        target: String,
        /// Name of the fault.
        fault: String,
    },
    /// Ends every fault that was switched on.
    EndFaults {
        /// A service, or one of its replicas; absent: everywhere.
        #[serde(default)]
        target: Option<String>,
    },
    /// Switches a protection on or off.
    SetProtection {
        /// A service, or one of its replicas.
        target: String,
        /// Name of the protection.
        name: String,
        /// On, or off.
        enabled: bool,
        /// How long it stays off, such as `5m`; absent: until it is switched on again.
        #[serde(default)]
        ttl: Option<String>,
    },
    /// Stops processes in order and starts them again; several replicas one after the other, each once the
    /// one before is ready.
    Restart {
        /// A service, one of its replicas, or `load`.
        target: String,
    },
    /// Takes one replica out of the balancing: it gets no new requests. Never two of a service at once, and never the last one
    /// that is in use.
    Drain {
        /// The replica, such as `order-api-2`; a pod in a cluster.
        target: String,
        /// For how long at most, such as `10m`: then it is back by itself. A pod stays out until it is put back.
        ttl: String,
    },
    /// Puts a drained replica back.
    Undrain {
        /// The replica; absent: every one that is drained.
        #[serde(default)]
        target: Option<String>,
    },
    /// Takes the databases back to an earlier moment: what was written after it is lost. For runbooks only, because a second
    /// person has to approve.
    Restore {
        /// Name of the instance whose data is replaced, such as `sre-lab/.lab`: that of another one is refused.
        instance: String,
        /// `latest`, or a moment such as `2026-03-01T10:15:00Z`.
        to: String,
    },
    /// Fences the primary of PostgreSQL and promotes its replica, in a lab on this machine. What the replica has not received
    /// is lost.
    Failover {
        /// Name of the instance, such as `sre-lab/.lab`: that of another one is refused.
        instance: String,
        /// Whether a loss is accepted, if nobody saw lately how far behind the replica is; never a second primary.
        #[serde(default)]
        force: bool,
    },
    /// Sets the number of replicas of a service.
    Scale {
        /// The service.
        target: String,
        /// How many.
        replicas: u32,
    },
    /// Ends sessions of PostgreSQL.
    EndSessions {
        /// The database that they are connected to.
        database: String,
        /// What they do.
        state: SessionState,
        /// For how long at least, such as `10s`.
        older_than: String,
        /// Only those of the client with this name; absent: of all.
        #[serde(default)]
        application: Option<String>,
        /// At most this many, the oldest first; absent: all.
        #[serde(default)]
        most: Option<u32>,
    },
    /// Removes keys of Redis.
    PurgeKeys {
        /// Pattern of their names; `*` is all of them.
        pattern: String,
        /// Only keys that would stay for longer than this, such as `15m`, or without an end; absent: all.
        #[serde(default)]
        ttl_over: Option<String>,
        /// At most this many; absent: all.
        #[serde(default)]
        most: Option<u32>,
    },
    /// Removes temporary files that a service has left in its data folder; never its own data.
    RemoveFiles {
        /// A service, or one of its replicas.
        target: String,
    },
    /// Puts dead letters back on the topic that they came from, the oldest first.
    Redrive {
        /// The service that gave up on them.
        target: String,
        /// At most this many; absent: 1000.
        #[serde(default)]
        most: Option<u32>,
    },
    /// Lets in this many requests per second.
    SetLoad {
        /// How many; 0 pauses.
        rps: f64,
    },
    /// Mutes an alert for some time.
    Silence {
        /// Its name.
        alert: String,
        /// Only for this service; absent: for all.
        #[serde(default)]
        service: Option<String>,
        /// For how long, such as `10m`.
        ttl: String,
    },
    /// Ends such a silence.
    ExpireSilence {
        /// The name of the alert.
        alert: String,
        /// The service for which it was set; absent: one that was set for all.
        #[serde(default)]
        service: Option<String>,
    },
    /// Applies the file of a rule in the firewall of every edge. For instructors: this is how outages begin.
    PushRule {
        /// The edge, or one of its replicas.
        target: String,
        /// Name of the rule, the same as in its file.
        rule: String,
        /// The file, YAML.
        file: String,
        /// How long it has to cost little in the first edge before the others get it, such as `10s`; absent:
        /// every edge gets it at once.
        #[serde(default)]
        canary: Option<String>,
    },
    /// Changes what a rule of the firewall does.
    SetRule {
        /// The edge, or one of its replicas.
        target: String,
        /// Name of the rule.
        rule: String,
        /// What it does from now on.
        mode: RuleMode,
    },
    /// Takes back what was set for a rule: its file decides again, and a rule without a file is gone.
    RestoreRule {
        /// The edge, or one of its replicas.
        target: String,
        /// Name of the rule; absent: all rules, and the kill switch.
        #[serde(default)]
        rule: Option<String>,
    },
    /// The kill switch of the firewall: off, every request passes unchecked.
    SwitchFirewall {
        /// The edge, or one of its replicas.
        target: String,
        /// On, or off.
        enabled: bool,
    },
    /// Limits every client at the edge, in addition to the limits of the routes.
    LimitClients {
        /// The edge, or one of its replicas.
        target: String,
        /// Requests per second for each client; absent: no such limit any more.
        #[serde(default)]
        rps: Option<f64>,
        /// Requests at once; absent: those of a second.
        #[serde(default)]
        burst: Option<u32>,
    },
    /// Kills a part of a lab on this machine, and keeps it stopped. For instructors: this is how outages begin.
    StopPart {
        /// The part, such as `postgres`.
        target: String,
        /// For how long at most, such as `10m`: then it is started by itself.
        ttl: String,
    },
    /// Starts such a part; it is well if it runs.
    StartPart {
        /// The part.
        target: String,
    },
    /// Takes back a release that is under way, or a change of the running drill. The control room does it: here is neither.
    Rollback {
        /// The name of the change, such as `REL-7`.
        change: String,
    },
}

/// What became of an action in one place, or what would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The replica, store or system.
    pub replica: String,
    /// Whether it worked, or would.
    pub ok: bool,
    /// What happened, or why it did not.
    pub text: String,
}

impl Outcome {
    /// What worked, or would.
    pub(crate) fn good(of: impl Into<String>, text: impl Into<String>) -> Self {
        Self { replica: of.into(), ok: true, text: text.into() }
    }

    /// What did not work, or would not.
    pub(crate) fn bad(of: impl Into<String>, text: impl Into<String>) -> Self {
        Self { replica: of.into(), ok: false, text: text.into() }
    }
}
