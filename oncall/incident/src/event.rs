//! Everything that can happen to an incident. A store keeps these; they are never changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Entry, EntryKind, Evidence, Id, Impact, Link, Role, Severity, Source, State, Task, Truth,
    alerts::{Alert, AlertKey},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it, or which system reported it.
    pub by: Source,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// The incident begins; always the first event.
    Opened {
        /// Its number.
        id: Id,
        /// What people see, in a few words.
        title: String,
        /// What is known at the start, in a few sentences; empty if nobody said more, as in journals that are older than it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        description: String,
        /// How bad it looks.
        severity: Severity,
        /// Affected services, as far as known.
        services: Vec<String>,
        /// The closed incident about the same alert.
        previous: Option<Id>,
    },
    /// It gets another title.
    Renamed {
        /// The title.
        title: String,
    },
    /// It is better or worse than it looked.
    SeveritySet {
        /// The severity.
        severity: Severity,
        /// How that is known.
        why: String,
    },
    /// It is a major incident: a response team is assembled.
    DeclaredMajor {
        /// Why.
        why: String,
    },
    /// Its state changes.
    Moved {
        /// The new state.
        to: State,
        /// What was done, or seen.
        why: String,
    },
    /// Somebody works on it. In triage this also makes it active.
    Acknowledged,
    /// The person who acknowledged it has not been heard of since; it escalates again.
    AcknowledgementExpired,
    /// Somebody takes a role; who had it before does not have it any more.
    Assigned {
        /// The role.
        role: Role,
        /// The person.
        person: String,
    },
    /// Somebody gives a role back.
    Relieved {
        /// The role.
        role: Role,
    },
    /// A service is affected.
    Affected {
        /// The service.
        service: String,
    },
    /// A service turns out not to be affected.
    Unaffected {
        /// The service.
        service: String,
    },
    /// An alert joins, or fires again.
    AlertFired {
        /// The alert.
        alert: Box<Alert>,
    },
    /// One of its alerts has ended.
    AlertCleared {
        /// Which.
        key: AlertKey,
        /// When it ended.
        ended_at: DateTime<Utc>,
    },
    /// Somebody was notified.
    Paged {
        /// The person.
        person: String,
        /// On which way: `slack`, `desktop`.
        channel: String,
        /// The step of the escalation, such as `0.0.2`; none for a page by hand.
        step: Option<String>,
    },
    /// The next level is asked for.
    Escalated {
        /// Who is asked.
        to: Vec<String>,
        /// Why.
        why: String,
    },
    /// What is known, for everybody.
    Updated {
        /// The text.
        text: String,
    },
    /// An entry in the timeline, by hand or from a system.
    Noted {
        /// What it is about.
        kind: EntryKind,
        /// When it happened.
        happened_at: DateTime<Utc>,
        /// What.
        text: String,
        /// How that is known.
        #[serde(default)]
        evidence: Vec<Evidence>,
        /// For instructors only, until the incident is closed.
        #[serde(default)]
        sealed: bool,
    },
    /// There is something to do.
    TaskAdded {
        /// What.
        task: Task,
    },
    /// It is done.
    TaskDone {
        /// Which.
        id: u32,
    },
    /// Something to read.
    Linked {
        /// The link.
        link: Link,
    },
    /// It might be this.
    HypothesisStated {
        /// Number within the incident.
        id: u32,
        /// The statement.
        text: String,
    },
    /// This speaks for or against it.
    HypothesisTested {
        /// Which.
        id: u32,
        /// For, or against.
        supports: bool,
        /// What was found.
        text: String,
        /// The query that shows it.
        #[serde(default)]
        evidence: Option<Evidence>,
    },
    /// It is not this.
    HypothesisRuledOut {
        /// Which.
        id: u32,
        /// Why not.
        why: String,
    },
    /// It is this.
    HypothesisConfirmed {
        /// Which.
        id: u32,
        /// How that is known.
        why: String,
    },
    /// What it cost.
    ImpactMeasured {
        /// All of it, so far.
        impact: Impact,
    },
    /// The indicator is good again.
    Recovered {
        /// Which, in a few words.
        what: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// What really happened; sealed.
    TruthSealed {
        /// The truth.
        truth: Truth,
    },
}

impl Event {
    /// Whether only an instructor may see it before the incident is closed. Check it before an event leaves a store in
    /// any way.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        matches!(self.what, What::TruthSealed { .. } | What::Noted { sealed: true, .. })
    }

    /// The entry for the timeline, if people need one.
    pub(crate) fn entry(&self) -> Option<Entry> {
        let (kind, text) = self.what.sentence()?;
        let (at, evidence) = match &self.what {
            What::Noted { happened_at, evidence, .. } => (*happened_at, evidence.clone()),
            What::HypothesisTested { evidence, .. } => (self.at, evidence.clone().into_iter().collect()),
            What::AlertFired { alert } => (alert.key.starts_at.min(self.at), Vec::new()),
            What::AlertCleared { ended_at, .. } => (*ended_at, Vec::new()),
            What::Recovered { since, .. } => (*since, Vec::new()),
            What::TruthSealed { truth } => (truth.since, Vec::new()),
            _ => (self.at, Vec::new()),
        };
        Some(Entry { at, kind, source: self.by.clone(), text, evidence, sealed: self.is_sealed() })
    }
}

/// A sentence with a reason, if there is one.
fn because(text: &str, why: &str) -> String {
    if why.trim().is_empty() { text.to_owned() } else { format!("{text}: {}", why.trim()) }
}

impl What {
    /// What it is about, and the sentence for people.
    fn sentence(&self) -> Option<(EntryKind, String)> {
        use EntryKind as Kind;
        Some(match self {
            Self::Opened { id, title, severity, previous, .. } => {
                let again = previous
                    .map_or_else(String::new, |previous| format!("; it happened before in {previous}"));
                (Kind::State, format!("{id} opened as {severity}: {title}{again}"))
            }
            Self::Renamed { title } => (Kind::State, format!("renamed to “{title}”")),
            Self::SeveritySet { severity, why } => (Kind::Severity, because(&format!("now {severity}"), why)),
            Self::DeclaredMajor { why } => (Kind::Severity, because("declared a major incident", why)),
            Self::Moved { to, why } => (Kind::State, because(&format!("now {to}"), why)),
            Self::Acknowledged => (Kind::Acknowledgement, "acknowledged".to_owned()),
            Self::AcknowledgementExpired => (Kind::Acknowledgement, "the acknowledgement expired".to_owned()),
            Self::Assigned { role, person } => (Kind::Role, format!("{person} is {role}")),
            Self::Relieved { role } => (Kind::Role, format!("nobody is {role}")),
            Self::Affected { service } => (Kind::Service, format!("{service} is affected")),
            Self::Unaffected { service } => (Kind::Service, format!("{service} is not affected")),
            Self::AlertFired { alert } => (Kind::Firing, because(&alert.name, &alert.summary)),
            // The text is completed by the incident, which knows the alert's name.
            Self::AlertCleared { key, .. } => (Kind::Cleared, key.fingerprint.clone()),
            Self::Paged { person, channel, .. } => (Kind::Page, format!("{person} paged by {channel}")),
            Self::Escalated { to, why } => {
                (Kind::Escalation, because(&format!("escalated to {}", to.join(", ")), why))
            }
            Self::Updated { text } => (Kind::Update, text.clone()),
            Self::Noted { kind, text, .. } => (*kind, text.clone()),
            Self::TaskAdded { task } => {
                let owner = task.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
                (Kind::Task, format!("task {}: {}{owner}", task.id, task.text))
            }
            Self::TaskDone { id } => (Kind::Task, format!("task {id} is done")),
            Self::Linked { link } => (Kind::Link, format!("{}: {}", link.title, link.url)),
            Self::HypothesisStated { id, text } => (Kind::Hypothesis, format!("hypothesis {id}: {text}")),
            Self::HypothesisTested { id, supports, text, .. } => {
                let side = if *supports { "for" } else { "against" };
                (Kind::Hypothesis, format!("{side} hypothesis {id}: {text}"))
            }
            Self::HypothesisRuledOut { id, why } => {
                (Kind::Hypothesis, because(&format!("hypothesis {id} is ruled out"), why))
            }
            Self::HypothesisConfirmed { id, why } => {
                (Kind::Hypothesis, because(&format!("hypothesis {id} is confirmed"), why))
            }
            // A number that is updated every few seconds is no news.
            Self::ImpactMeasured { .. } => return None,
            Self::Recovered { what, .. } => (Kind::Recovery, format!("{what} is good again")),
            Self::TruthSealed { truth } => {
                (Kind::Truth, format!("{} set the fault {} on {}", truth.by, truth.fault, truth.service))
            }
        })
    }
}
