//! What pages know of a run and of its parts. This is the only file that reads a run of `crate::drills`: through its
//! JSON, so that the pages depend on the names that the API has too, and on nothing else.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{access::Visitor, error::Result, room::Room};

/// Runs that are read at most.
const MOST: usize = 500;

/// A run, as its viewer may see it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    /// Its number.
    pub(crate) id: i64,
    /// Which drill; none for a mystery that continues.
    pub(crate) drill: Option<String>,
    /// What a trainee may know of the drill.
    pub(crate) brief: Option<Brief>,
    /// Who responds.
    pub(crate) responder: String,
    /// What a verification tries; none for a person.
    pub(crate) verify: Option<String>,
    /// Where it is: `baseline`, `observe`, `recover`, `reset`, `finished`.
    pub(crate) phase: String,
    /// Whether an instructor has stopped its clock.
    pub(crate) paused: bool,
    /// Whether the responder could know the solution.
    pub(crate) seen: bool,
    /// When it was started.
    pub(crate) started_at: DateTime<Utc>,
    /// When the time is over; none before the baseline is passed.
    pub(crate) time_box_ends: Option<DateTime<Utc>>,
    /// When the system was clean again.
    pub(crate) ended_at: Option<DateTime<Utc>>,
    /// What it waits for now.
    pub(crate) waiting_for: Vec<String>,
    /// Hints that were taken.
    pub(crate) hints: Vec<String>,
    /// Hints that can still be taken.
    pub(crate) hints_left: usize,
    /// The last answer.
    pub(crate) answers: Option<Answers>,
    /// What the responder did to the system.
    pub(crate) acts: Vec<String>,
    /// How it ended, in a word.
    pub(crate) verdict: Option<String>,
    /// What was not met.
    pub(crate) failures: Vec<Failure>,
    /// What it was worth.
    pub(crate) score: Option<Score>,
    /// What was wrong: after the end, or for an instructor.
    pub(crate) truth: Option<Truth>,
    /// What the responder learned, in their own words.
    pub(crate) learned: Option<String>,
}

/// What a trainee may know of a drill.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Brief {
    pub(crate) title: String,
    pub(crate) difficulty: String,
    pub(crate) time_box_seconds: u64,
    pub(crate) briefing: String,
    /// What hints cost, in their order.
    pub(crate) hints: Vec<u32>,
    /// What the mechanism may be; empty if it is not asked.
    pub(crate) mechanisms: Vec<String>,
    pub(crate) asks_change: bool,
    pub(crate) asks_onset: bool,
    /// How many queries have to prove the answer.
    pub(crate) evidence: u32,
}

/// What a responder thinks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Answers {
    pub(crate) components: Vec<String>,
    pub(crate) mechanism: Option<String>,
    pub(crate) change: Option<String>,
    pub(crate) onset: Option<DateTime<Utc>>,
    pub(crate) evidence: Vec<String>,
}

/// A condition that was not met.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    pub(crate) condition: String,
    pub(crate) query: String,
    pub(crate) expected: String,
    pub(crate) seen: String,
}

/// What a run was worth.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Score {
    /// 0 to 100.
    pub(crate) total: u32,
    pub(crate) lines: Vec<Line>,
    pub(crate) deductions: Vec<Deduction>,
}

/// One criterion.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) criterion: String,
    pub(crate) weight: u32,
    /// Points, 0 to 1; none if it could not be measured.
    pub(crate) share: Option<f64>,
    pub(crate) value: String,
}

/// Points that were taken away.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Deduction {
    pub(crate) points: u32,
    pub(crate) why: String,
}

/// What was wrong, and what would have helped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Truth {
    /// Empty: nothing was broken.
    pub(crate) faults: Vec<Broken>,
    /// The components that are the cause.
    pub(crate) components: Vec<String>,
    /// What fails, in one word.
    pub(crate) mechanism: String,
    /// The change that is the cause, or `none`; none if it is not asked.
    pub(crate) change: Option<String>,
    /// Markdown.
    pub(crate) debrief: String,
    pub(crate) path: Vec<Sighting>,
    pub(crate) signals: Vec<Sighting>,
    /// Pages and tickets that came.
    pub(crate) notices: Vec<Notice>,
    pub(crate) injected_at: Option<DateTime<Utc>>,
    pub(crate) affected_at: Option<DateTime<Utc>>,
    pub(crate) mitigated_at: Option<DateTime<Utc>>,
    pub(crate) recovered_at: Option<DateTime<Utc>>,
    pub(crate) helps: Vec<Advice>,
    pub(crate) does_not_help: Vec<Advice>,
    pub(crate) harms: Vec<Advice>,
}

/// An action, and what it does to the cause.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Advice {
    pub(crate) act: String,
    pub(crate) why: String,
}

/// A fault that was set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Broken {
    pub(crate) service: String,
    pub(crate) fault: String,
    /// Such as `rate 0.3`.
    pub(crate) parameters: Vec<String>,
    /// Seconds after the baseline.
    pub(crate) after_seconds: u64,
    /// The change that caused it.
    pub(crate) change: Option<String>,
}

/// When something was seen for the first time, in seconds after the injection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Sighting {
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) within: f64,
    /// None if never.
    pub(crate) seen: Option<f64>,
}

/// A page or a ticket.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Notice {
    pub(crate) at: DateTime<Utc>,
    pub(crate) alert: String,
    pub(crate) service: String,
    /// A page; else a ticket.
    pub(crate) page: bool,
    /// It fires; else it ended.
    pub(crate) firing: bool,
}

/// How far a run is, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a healthy system.
    Waiting,
    /// The responder works.
    On,
    /// Everything that it began is being ended.
    Settling,
    /// Over, and clean.
    Over,
}

impl Run {
    /// What people call it; a mystery has no name until it is over.
    pub(crate) fn title(&self) -> &str {
        let told = self.brief.as_ref().map(|brief| brief.title.as_str()).filter(|title| !title.is_empty());
        told.or(self.drill.as_deref()).unwrap_or("A mystery")
    }

    /// How far it is.
    pub(crate) fn stage(&self) -> Stage {
        match (self.ended_at, self.phase.as_str()) {
            (Some(_), _) => Stage::Over,
            (None, "baseline") => Stage::Waiting,
            (None, "reset" | "finished") => Stage::Settling,
            (None, _) => Stage::On,
        }
    }

    /// Whether a person responded and it is over.
    pub(crate) fn counts(&self) -> bool {
        self.verify.is_none() && self.stage() == Stage::Over
    }

    /// What it was worth.
    pub(crate) fn points(&self) -> Option<u32> {
        self.score.as_ref().map(|score| score.total)
    }

    /// Whether everything came as it should.
    pub(crate) fn passed(&self) -> bool {
        self.verdict.as_deref() == Some("passed")
    }

    /// Its address.
    pub(crate) fn path(&self) -> String {
        format!("/drills/runs/{}", self.id)
    }
}

fn read<V: Serialize, T: DeserializeOwned>(view: &V) -> Result<T> {
    Ok(serde_json::from_value(serde_json::to_value(view)?)?)
}

/// A run.
pub(crate) async fn run(room: &Room, visitor: &Visitor, id: i64) -> Result<Run> {
    read(&room.drills.run(visitor, id).await?)
}

/// The run in progress.
pub(crate) async fn current(room: &Room, visitor: &Visitor) -> Result<Option<Run>> {
    room.drills.current(visitor).await?.as_ref().map(read).transpose()
}

/// Runs, newest first; of one drill or of all.
pub(crate) async fn runs(room: &Room, visitor: &Visitor, drill: Option<&str>) -> Result<Vec<Run>> {
    let views = room.drills.runs(visitor, drill, MOST).await?;
    views.iter().map(read).collect()
}

/// A drill in the list of all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    brief: Named,
    suggested: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: String,
}

/// Name of the drill that somebody should do next.
pub(crate) async fn suggested(room: &Room, visitor: &Visitor) -> Result<Option<String>> {
    let listed: Vec<Listed> = read(&room.drills.list(visitor).await?)?;
    Ok(listed.into_iter().find(|drill| drill.suggested).map(|drill| drill.brief.id))
}

#[cfg(test)]
mod tests;
