//! What a run wants done, and what it wants to know.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Act,
    model::Way,
    names::{ChangeKind, Invariant},
};

/// An action that is due. Do one after the other, in order, and record [`super::What::Done`] or [`super::What::Failed`].
/// One that was done and not recorded is due again: every action can be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The same after every replay: `fault[0]`.
    pub id: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Forget what the objectives recorded: the outage before must not page in this run.
    ForgetHistory,
    /// Send this load.
    SetLoad {
        /// The mix.
        scenario: String,
        /// Requests per second.
        rps: u32,
    },
    /// Switch a protection.
    SwitchProtection {
        /// The service, or one of its replicas.
        service: String,
        /// The protection.
        protection: String,
        /// On or off.
        on: bool,
    },
    /// Switch on every protection that is off, in all services, even if it was not the run that switched it off.
    RestoreProtections,
    /// Let a service have as many replicas as before.
    RestoreReplicas {
        /// The service.
        service: String,
        /// How many.
        replicas: u32,
    },
    /// Add a change to the list that trainees see.
    RecordChange {
        /// Its name. One that harms nobody has one, too.
        name: String,
        /// What kind.
        change: ChangeKind,
        /// Where.
        service: String,
        /// What is seen.
        text: String,
    },
    /// Show a message to the trainee.
    Say {
        /// The service that it is about.
        service: Option<String>,
        /// The text.
        text: String,
    },
    /// Set a fault in every replica of a service, or in one.
    SetFault {
        /// The service, or one of its replicas.
        service: String,
        /// The fault point.
        fault: String,
        /// Its parameters.
        parameters: BTreeMap<String, String>,
        /// For faults that take one.
        seed: u64,
        /// When it ends by itself, should the run be lost.
        ttl: Duration,
    },
    /// End a fault; it is well if there is none.
    EndFault {
        /// The service, or one of its replicas.
        service: String,
        /// The fault point.
        fault: String,
    },
    /// Push a rule of `waf/incidents` to every edge, or to one. If it goes another way than at once, it is done when that
    /// has stopped it.
    PushRule {
        /// The edge, or one of its replicas.
        service: String,
        /// The rule.
        rule: String,
        /// How.
        #[serde(default)]
        way: Way,
    },
    /// Take such a rule back; it is well if there is none.
    WithdrawRule {
        /// The edge, or one of its replicas.
        service: String,
        /// The rule.
        rule: String,
    },
    /// Kill a part of the lab, and keep it stopped.
    StopPart {
        /// The part.
        part: String,
        /// When it is started by itself, should the run be lost.
        ttl: Duration,
    },
    /// Start such a part; it is well if it runs.
    StartPart {
        /// The part.
        part: String,
    },
    /// Run a script, in PostgreSQL or elsewhere.
    RunScript {
        /// The script.
        script: String,
    },
    /// Undo such a script; it is well if it was not run.
    UndoScript {
        /// The script.
        script: String,
    },
    /// Take back everything that was set in the firewall and the limit of every edge.
    RestoreFirewall,
    /// Put back every replica that somebody has drained.
    Undrain,
    /// Do what a responder would.
    Act {
        /// The action.
        act: Act,
    },
    /// End the silences that were set during the run.
    EndSilences,
}

/// A condition to look at, about once a second, as long as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Look {
    /// The same after every replay: `signal[0]`.
    pub id: String,
    /// For people.
    pub name: String,
    /// What to ask.
    pub ask: Ask,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ask {
    /// Whether this PromQL returns at least one sample.
    Query {
        /// The query.
        query: String,
    },
    /// Whether no alert fires but these. Tickets about budgets never count: they look back for hours.
    NoAlert {
        /// Alerts that may fire.
        except: Vec<String>,
        /// Whether a page may fire whose objective has been met again for a few seconds: its short window looks back for half
        /// a minute, so all of it will be good if nothing else happens.
        #[serde(default)]
        fading: bool,
    },
    /// Whether no fault of a drill is set, no part is kept stopped, and no script is left to undo; the fault of the lab's
    /// hello-world stays.
    NoFault,
    /// Whether the firewall of every edge is on, and has none of these rules.
    Firewall {
        /// Rules that a drill pushes.
        without: Vec<String>,
    },
    /// Whether no edge has drained a replica.
    NoneDrained,
    /// Whether every protection is on but these.
    ProtectionsOn {
        /// Service and protection.
        except: Vec<(String, String)>,
    },
    /// Whether the load is what the drill has as its baseline, and arrives.
    LoadAtBaseline {
        /// Requests per second.
        rps: u32,
    },
    /// Whether this holds in the databases.
    Invariant {
        /// Which.
        invariant: Invariant,
    },
}

impl Ask {
    /// What is asked, in words: the query, or the sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Query { query } => query.clone(),
            Self::NoAlert { except, fading } => {
                let pages = fading.then(|| "pages whose objective is met again".to_owned());
                let but: Vec<String> = except.iter().cloned().chain(pages).collect();
                if but.is_empty() {
                    "no alert fires".to_owned()
                } else {
                    format!("no alert fires but {}", but.join(", "))
                }
            }
            Self::NoFault => "no fault is set".to_owned(),
            Self::Firewall { without } if without.is_empty() => "the firewall is on".to_owned(),
            Self::Firewall { without } => format!("the firewall is on, without {}", without.join(", ")),
            Self::NoneDrained => "no replica is drained".to_owned(),
            Self::ProtectionsOn { except } if except.is_empty() => "every protection is on".to_owned(),
            Self::ProtectionsOn { except } => {
                let names: Vec<String> = except.iter().map(|(of, name)| format!("{name} of {of}")).collect();
                format!("every protection is on but {}", names.join(", "))
            }
            Self::LoadAtBaseline { rps } => format!("the load is {rps} requests per second"),
            Self::Invariant { invariant } => format!("the databases are {invariant}"),
        }
    }
}
