//! Runs, dry runs and the switch as people and programs see them: what the API answers and pages render.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use incident::Id;
use runbook::{Mode, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A run of a runbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunbookRunView {
    /// Such as `RUN-7`.
    pub id: String,
    /// Name of the runbook.
    pub runbook: String,
    /// What it does, in a few words.
    pub title: String,
    /// `manual`, `ask` or `auto`.
    #[schema(value_type = String)]
    pub mode: Mode,
    /// Who started it: a person, or `automation`.
    pub by: String,
    /// The incident that it is for.
    #[schema(value_type = Option<String>)]
    pub incident: Option<Id>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who or what has the next move.
    pub state: RunState,
    /// What is next, in a sentence; absent once it has ended.
    pub next: Option<String>,
    /// What a second person is asked, while it waits for approval.
    pub request: Option<RequestView>,
    /// Preconditions, steps, and acts that are taken back, in order.
    pub steps: Vec<StepView>,
    /// How it ended: `succeeded`, `stopped`, `recommended`, `declined` or `failed`.
    pub ending: Option<String>,
    /// Why it ended so.
    pub why: Option<String>,
    /// Acts that were taken back.
    pub undone: Vec<String>,
    /// Acts that were done and stay, with the reason; only if it did not succeed.
    pub left: Vec<String>,
}

/// Who or what has the next move of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RunState {
    /// It continues by itself.
    Running,
    /// A person confirms the next step, or leaves it out.
    WaitingForYou,
    /// A second person approves, or declines.
    WaitingForApproval,
    /// It is over.
    Ended,
}

/// What a second person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// Why.
    pub why: String,
    /// All that the run may change, each with its values, and what takes it back.
    pub changes: Vec<String>,
    /// Who cannot approve, because they work on the run.
    pub not: BTreeSet<String>,
    /// What an approval repeats, so that nothing else is approved than what was shown.
    pub digest: String,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// Its place, such as `precondition-1`, `step-3` or `undo-3`.
    pub place: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// What kind of step: precondition, check, http, sql, decide, act, wait_until, approve, verify or undo.
    pub kind: String,
    /// How far it is.
    pub state: StepState,
    /// What happened; what would be asked or done, if it is still to come.
    pub text: String,
    /// What can be chosen, if it is a decision: confirm it with one of them.
    pub branches: Vec<BranchView>,
    /// When it was passed.
    pub at: Option<DateTime<Utc>>,
    /// Who confirmed, approved or left it out.
    pub by: Option<String>,
}

/// A way to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BranchView {
    /// Its name.
    pub name: String,
    /// When it is the right one.
    pub what: String,
    /// The condition that chooses it in modes ask and auto; absent, if only a person can.
    pub condition: Option<String>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StepState {
    /// It went as planned.
    Done,
    /// It is next.
    Now,
    /// It is still to come, or was never reached.
    Todo,
    /// Somebody left it out, or another branch was taken.
    Skipped,
    /// It did not go as planned.
    Failed,
}

/// What a runbook would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryView {
    /// Name of the runbook.
    pub runbook: String,
    /// Whether every precondition holds now.
    pub ready: bool,
    /// What has to be so before the first step.
    pub preconditions: Vec<CheckView>,
    /// What the steps look at, with the answer of now.
    pub checks: Vec<CheckView>,
    /// Where it takes one of several branches, with the one that it would take now.
    pub decisions: Vec<DryDecisionView>,
    /// Why its steps wait for a second person, whatever the guardrails say.
    pub approvals: Vec<String>,
    /// What it would change, with the decision of the guardrails if automation asked.
    pub changes: Vec<DryChangeView>,
    /// Parameters that are missing or wrong, and whatever does not answer.
    pub problems: Vec<String>,
}

/// A question and its answer of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub text: String,
    /// What is expected.
    pub expected: String,
    /// Whether it is so now.
    pub holds: bool,
    /// What was answered.
    pub seen: String,
}

/// A decision, and what it would be now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryDecisionView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// What can be chosen, in the order in which the conditions are asked.
    pub branches: Vec<DryBranchView>,
}

/// A branch, and whether it would be taken now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryBranchView {
    /// Its name.
    pub name: String,
    /// When it is the right one.
    pub what: String,
    /// The condition that chooses it in modes ask and auto; absent, if only a person can.
    pub condition: Option<String>,
    /// What was answered.
    pub seen: Option<String>,
    /// Whether modes ask and auto would take it now.
    pub taken: bool,
}

/// A change that a runbook would make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryChangeView {
    /// What it does, with its values.
    pub text: String,
    /// The branch that has to be taken for it; absent, if it is always done.
    pub when: Option<String>,
    /// What the guardrails count it against.
    pub target: String,
    /// `allow`, `ask`, `recommend` or `deny`.
    #[schema(value_type = String)]
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<String>,
    /// What it would hit now: processes, sessions, keys.
    pub hits: Vec<String>,
    /// What takes it back.
    pub undo: String,
}

/// Whether automation acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AutomationView {
    /// Whether it acts on alerts.
    pub on: bool,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who switched it; `control-room`, if nobody has.
    pub by: String,
    /// Why.
    pub why: String,
    /// Why the breaker has switched it off, if it has.
    pub breaker: Option<String>,
    /// The last switches, newest first.
    pub recent: Vec<SwitchView>,
}

/// A turn of the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SwitchView {
    /// When.
    pub at: DateTime<Utc>,
    /// On, or off.
    pub on: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A runbook, in a list or by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunbookView {
    /// Its name.
    pub name: String,
    /// The alert that it is for; a procedure has none.
    pub alert: Option<String>,
    /// What it does, in a few words.
    pub title: String,
    /// Services that it is about.
    pub services: Vec<String>,
    /// What has to be given, or is taken from the alert.
    pub parameters: Vec<ParameterView>,
    /// Its steps, with holes where parameters belong.
    pub steps: Vec<OutlineView>,
}

/// A parameter of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParameterView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// What it may be, in words.
    pub expects: String,
    /// Its values, if it is a choice.
    pub choices: Vec<String>,
    /// The value if nobody gives one.
    pub default: Option<String>,
    /// The label of the alert that has it.
    pub label: Option<String>,
}

/// A step before it has values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutlineView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// What kind of step.
    pub kind: String,
}
