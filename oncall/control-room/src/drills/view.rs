//! What a viewer may see of drills and runs, as JSON has it. `show` decides what is in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A drill in the list of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillView {
    /// What may be known before.
    pub brief: BriefView,
    /// How often the viewer has finished it.
    pub runs: usize,
    /// The viewer's best score, 0 to 100, of runs in which the solution was not known.
    pub best: Option<u32>,
    /// How the viewer's last run ended: passed, failed, invalid, aborted, timed-out.
    pub last_verdict: Option<String>,
    /// Whether it is the one to do next.
    pub suggested: bool,
}

/// What a trainee may know before a drill is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BriefView {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// first-day, easy, medium, hard or brutal.
    pub difficulty: String,
    /// Seconds that there are.
    pub time_box_seconds: u64,
    /// Drills to do before.
    pub prerequisites: Vec<String>,
    /// What the person on call is told.
    pub briefing: String,
    /// Points that each hint costs, in their order.
    pub hints: Vec<u32>,
    /// What the mechanism may be; empty if it is not asked.
    pub mechanisms: Vec<String>,
    /// Whether the change is asked: its name, or `none`.
    pub asks_change: bool,
    /// Whether the time of the start is asked.
    pub asks_onset: bool,
    /// How many queries have to prove the answer.
    pub evidence: u32,
}

/// What a viewer may see of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Its number.
    pub id: i64,
    /// Name of the drill; none for a mystery in progress.
    pub drill: Option<String>,
    /// What may be known before; none for a mystery in progress.
    pub brief: Option<BriefView>,
    /// Who responds; in a verification, who asked for it.
    pub responder: String,
    /// What a verification tries: solution, nothing, restart-all; none in a run of a person or an agent.
    pub verify: Option<String>,
    /// baseline, observe, wrong action N, step N, recover, reset or finished.
    pub phase: String,
    /// Whether an instructor has paused it.
    pub paused: bool,
    /// Whether the responder could know the solution, from an earlier run; of a mystery, only at the end.
    pub seen: bool,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When a person's time is over; none before the drill has begun.
    pub time_box_ends: Option<DateTime<Utc>>,
    /// When the system was clean again; none while the run is in progress.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it waits for now, one sentence each.
    pub waiting_for: Vec<String>,
    /// The hints that were taken.
    pub hints: Vec<String>,
    /// How many are left.
    pub hints_left: usize,
    /// The last answer.
    pub answers: Option<AnswersView>,
    /// What the responder did, in order.
    pub acts: Vec<String>,
    /// How it ended: passed, failed, invalid, aborted, timed-out; none while it is in progress.
    pub verdict: Option<String>,
    /// What was not met; empty as long as it is sealed.
    pub failures: Vec<FailureView>,
    /// What it was worth; none for a verification and for one that never began.
    pub score: Option<ScoreView>,
    /// What was wrong; none as long as it is sealed.
    pub truth: Option<TruthView>,
    /// Largest share of an error budget that was burned, 0 to 1 and above; none if nobody measured.
    pub burned: Option<f64>,
    /// What the responder learned, in their own words, Markdown.
    pub learned: Option<String>,
}

/// What a responder thinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswersView {
    /// The components that are the cause; empty: nothing is wrong.
    pub components: Vec<String>,
    /// What fails.
    pub mechanism: Option<String>,
    /// The change that caused it, or `none`.
    pub change: Option<String>,
    /// Since when.
    pub onset: Option<DateTime<Utc>>,
    /// Queries that prove it.
    pub evidence: Vec<String>,
}

/// A condition that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    /// When.
    pub at: DateTime<Utc>,
    /// In which phase.
    pub phase: String,
    /// The condition.
    pub condition: String,
    /// The query, or what was asked.
    pub query: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// What a run was worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreView {
    /// 0 to 100.
    pub total: u32,
    /// One line for each criterion.
    pub lines: Vec<LineView>,
    /// What was taken away.
    pub deductions: Vec<DeductionView>,
}

/// One criterion of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// detect, acknowledge, localise, explain, mitigate, recover, communicate or budget.
    pub criterion: String,
    /// How much it counts.
    pub weight: u32,
    /// Points, 0 to 1; none if this drill cannot measure it.
    pub share: Option<f64>,
    /// The measured value, in words.
    pub value: String,
}

/// Points that were taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeductionView {
    /// How many.
    pub points: u32,
    /// For what.
    pub why: String,
}

/// What was wrong, and what would have helped. Sealed until the run is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TruthView {
    /// Name of the drill.
    pub drill: String,
    /// What was broken; empty: nothing.
    pub faults: Vec<FaultView>,
    /// The components that are the cause.
    pub components: Vec<String>,
    /// What fails, in one word.
    pub mechanism: String,
    /// The change that is the cause, or `none`; none if it is not asked.
    pub change: Option<String>,
    /// When it began.
    pub injected_at: Option<DateTime<Utc>>,
    /// When users were affected for the first time.
    pub affected_at: Option<DateTime<Utc>>,
    /// Since when users were served again.
    pub mitigated_at: Option<DateTime<Utc>>,
    /// When everything was good again.
    pub recovered_at: Option<DateTime<Utc>>,
    /// Signals, and when they were seen; empty before the end.
    pub signals: Vec<SightingView>,
    /// The causal path, and when each node deviated; empty before the end.
    pub path: Vec<SightingView>,
    /// Pages and tickets that came; empty before the end.
    pub notices: Vec<NoticeView>,
    /// Where the time went, in order; empty before the end.
    pub laps: Vec<LapView>,
    /// What helps.
    pub helps: Vec<AdviceView>,
    /// What does not.
    pub does_not_help: Vec<AdviceView>,
    /// What harms.
    pub harms: Vec<AdviceView>,
    /// What to learn from it.
    pub debrief: String,
}

/// Something that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultView {
    /// The service.
    pub service: String,
    /// The fault point.
    pub fault: String,
    /// Its parameters, such as `rate 0.3`.
    pub parameters: Vec<String>,
    /// Seconds after the baseline.
    pub after_seconds: u64,
    /// The change that caused it.
    pub change: Option<String>,
    /// Whether it is still there after a restart.
    pub survives_restart: bool,
}

/// When something was seen for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SightingView {
    /// The signal or the node.
    pub name: String,
    /// What was asked.
    pub query: String,
    /// Seconds after the injection within which it has to be seen.
    pub within: f64,
    /// Seconds after the injection; none if never.
    pub seen: Option<f64>,
}

/// A part of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LapView {
    /// `forget`, `load`, `healthy`, `injection`, `observe`, `wrong action N`, `step N`, `recover` or `reset`.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// A page or a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    /// When.
    pub at: DateTime<Utc>,
    /// The alert.
    pub alert: String,
    /// The service that it names.
    pub service: String,
    /// Whether it is a page; else a ticket.
    pub page: bool,
    /// Whether it fires; else it ended.
    pub firing: bool,
}

/// An action, and what it does to the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdviceView {
    /// The action, in words.
    pub act: String,
    /// Why it helps, does not help, or harms.
    pub why: String,
}
