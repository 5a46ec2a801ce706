//! What was done, as far as guardrails need to know it: acts within the longest limit, acts that are under way, runs
//! that did not help, and whether automation is on.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Guardrails, Verdict, scaled};
use crate::{
    Change, Event, Mode, Run, What, Who,
    run::{End, Ending},
};

/// Something that guardrails keep in mind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub entry: Entry,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// An act was allowed. It counts from here, so that two runs that decide in the same second do not both count
    /// from zero.
    Acted {
        /// The run.
        run: String,
        /// The target.
        target: String,
        /// Whether replicas stop because of it.
        stops: bool,
        /// Whether it takes an act back, or has to be taken back itself; then it does not count.
        undo: bool,
    },
    /// The act of a run is over.
    Finished {
        /// The run.
        run: String,
    },
    /// A run is over.
    Ended {
        /// The run.
        run: String,
        /// Automation acted, and it was not proven to help.
        failed: bool,
    },
    /// Somebody switched automation on or off. On also closes the breaker.
    Switched {
        /// On, or off.
        on: bool,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
}

/// An act that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnderWay {
    target: String,
    stops: bool,
}

/// An act that counts for the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counted {
    at: DateTime<Utc>,
    run: String,
    target: String,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Oldest first.
    acts: Vec<Counted>,
    /// By run.
    under_way: BTreeMap<String, UnderWay>,
    failures: Vec<DateTime<Utc>>,
    /// Why automation is off, if it is.
    off: Option<String>,
}

impl Ledger {
    /// Takes an entry. `speed` is the lab clock's divisor, or 1.
    ///
    /// Returns what to page a person with: the breaker has opened, and automation is off.
    #[must_use]
    pub fn note(&mut self, rails: &Guardrails, speed: u32, noted: &Noted) -> Option<String> {
        let longest = rails.per_target.within.max(rails.global.within);
        self.acts.retain(|act| noted.at - act.at < scaled(longest, speed));
        match &noted.entry {
            Entry::Acted { run, target, stops, undo } => {
                if !undo {
                    self.acts.push(Counted { at: noted.at, run: run.clone(), target: target.clone() });
                }
                // A replica that the run has drained is missing until it is put back, whatever the run does meanwhile.
                let holds = self.under_way.get(run).is_some_and(|act| act.stops);
                if *stops || !holds {
                    self.under_way.insert(run.clone(), UnderWay { target: target.clone(), stops: *stops });
                }
            }
            Entry::Finished { run } => {
                self.under_way.remove(run);
            }
            Entry::Ended { run, failed } => {
                self.under_way.remove(run);
                if *failed {
                    return self.failed(rails, speed, noted.at);
                }
            }
            Entry::Switched { on: true, .. } => {
                self.off = None;
                self.failures.clear();
            }
            Entry::Switched { on: false, by, why } => {
                self.off = Some(format!("{by} switched automation off: {why}"));
            }
        }
        None
    }

    fn failed(&mut self, rails: &Guardrails, speed: u32, at: DateTime<Utc>) -> Option<String> {
        let breaker = rails.breaker;
        self.failures.retain(|before| at - *before < scaled(breaker.within, speed));
        self.failures.push(at);
        let count = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        if count < breaker.failed_verifies || self.off.is_some() {
            return None;
        }
        let text = format!(
            "automation is off: {count} runs within {} did not help; find out why, then `lab automation on`",
            crate::parameter::words(breaker.within)
        );
        self.off = Some(text.clone());
        Some(text)
    }

    /// Why automation is off, if it is.
    #[must_use]
    pub fn off(&self) -> Option<&str> {
        self.off.as_deref()
    }

    /// How often a target, or anything, was changed within a time before `now`.
    #[must_use]
    pub fn acts(&self, target: Option<&str>, within: TimeDelta, now: DateTime<Utc>) -> u32 {
        let recent = self.acts.iter().filter(|act| now - act.at < within);
        let count = recent.filter(|act| target.is_none_or(|target| target == act.target)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// What it was when a change of a run was allowed that has not begun since: to decide about it once more.
    #[must_use]
    pub fn before(&self, run: &str, change: &Change) -> Self {
        let mut before = self.clone();
        let last = before.acts.iter().rposition(|act| act.run == run && act.target == change.target());
        if let Some(last) = last.filter(|_| counts(change)) {
            before.acts.remove(last);
        }
        before
    }

    /// Another run that stops replicas of this target right now.
    #[must_use]
    pub fn stopping(&self, target: &str, run: &str) -> Option<&str> {
        let mut others = self.under_way.iter().filter(|(other, _)| other.as_str() != run);
        others.find(|(_, act)| act.stops && act.target == target).map(|(other, _)| other.as_str())
    }
}

/// Whether a change counts for the limits: what takes an act back, or has to be taken back itself, does not.
fn counts(change: &Change) -> bool {
    !change.key.ends_with("/undo") && !change.verb.lasts()
}

/// What an event of a run means for guardrails, after the run has taken it. Keep it in the same transaction.
#[must_use]
pub fn noted(run: &Run, event: &Event) -> Vec<Noted> {
    let mut entries = Vec::new();
    match &event.what {
        What::Decided { place, decision } if decision.verdict == Verdict::Allow && !run.decided_again() => {
            entries.extend(run.plan().change(*place).map(|change| Entry::Acted {
                run: run.id().to_owned(),
                target: change.target(),
                stops: change.verb.stops_replicas(&change.with),
                undo: !counts(&change),
            }));
        }
        What::Done { .. } if !run.holds() => entries.push(Entry::Finished { run: run.id().to_owned() }),
        _ => {}
    }
    if let Some(end) = run.end() {
        entries.push(Entry::Ended { run: run.id().to_owned(), failed: failed(run, end) });
    }
    entries.into_iter().map(|entry| Noted { at: event.at, entry }).collect()
}

/// A run that a person started or stopped does not count against automation.
fn failed(run: &Run, end: &End) -> bool {
    run.mode() == Mode::Auto && *run.by() == Who::Automation && end.how == Ending::Failed
}
