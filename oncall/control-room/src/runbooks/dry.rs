//! A dry run: every question is asked now, and the guardrails say what automation might do. Changes nothing.

use std::collections::BTreeMap;

use futures::future::join_all;
use incident::Id;
use runbook::{
    Answer, Call, Given, Place, Plan, Runbook, Verdict, Who,
    dry::{self, Shown, Way},
    model::Task,
};

use super::{
    Runbooks, decide,
    view::{CheckView, DryBranchView, DryChangeView, DryDecisionView, DryView},
};
use crate::{error::Result, room::Room};

/// What stands for the run.
const RUN: &str = "dry";

/// What a dry run is about.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The incident that a run would be for: it is no other incident of the services.
    pub incident: Option<Id>,
    /// Given parameters.
    pub parameters: BTreeMap<String, String>,
    /// Labels of an alert, for parameters that are not given.
    pub labels: BTreeMap<String, String>,
}

/// What is the same for every change of a dry run.
struct Trial<'t> {
    plan: &'t Plan,
    incident: Option<&'t str>,
    /// Why automation would do nothing now, although it is on.
    held: Option<String>,
}

impl Runbooks {
    /// What a runbook would do now.
    ///
    /// # Errors
    /// When there is no such runbook, or its file is wrong. What is missing or does not answer is in the
    /// answer.
    pub async fn dry(&self, room: &Room, name: &str, wanted: &Wanted) -> Result<DryView> {
        let runbook = self.get(name)?;
        let Wanted { incident, parameters, labels } = wanted;
        let incident = incident.map(|id| id.to_string());
        let given = Given { run: RUN, incident: incident.as_deref(), parameters, labels };
        let plan = match Plan::new((*runbook).clone(), &given) {
            Ok(plan) => plan,
            Err(problems) => return Ok(DryView { problems, ..empty(&runbook) }),
        };
        let answers: BTreeMap<Place, Answer> = self.asked(room, dry::questions(&plan)).await;
        let conditions: BTreeMap<(usize, usize), Answer> = self.asked(room, dry::conditions(&plan)).await;
        let failed = answers.values().chain(conditions.values()).filter_map(|answer| match answer {
            Answer::Failed { why } => Some(why.clone()),
            _ => None,
        });
        let mut problems: Vec<String> = failed.collect();
        let shown = dry::run(&plan, &answers, &BTreeMap::new());
        let trial = Trial { plan: &plan, incident: incident.as_deref(), held: decide::held(room).await };
        let mut changes = Vec::new();
        for step in &shown.steps {
            changes.extend(self.change(room, &trial, step, &mut problems).await);
        }
        problems.sort_unstable();
        problems.dedup();
        Ok(DryView {
            ready: shown.ready,
            preconditions: shown.preconditions.iter().filter_map(check).collect(),
            checks: shown.steps.iter().filter_map(check).collect(),
            decisions: shown.steps.iter().filter_map(|step| decision(&plan, step, &conditions)).collect(),
            changes,
            problems,
            ..empty(&runbook)
        })
    }

    /// All questions at once, and their answers.
    async fn asked<K: Ord>(&self, room: &Room, questions: Vec<(K, Call)>) -> BTreeMap<K, Answer> {
        let world = self.world();
        let asked = questions.iter().map(|(_, call)| world.ask(room, call));
        let answers = join_all(asked).await;
        questions.into_iter().map(|(key, _)| key).zip(answers).collect()
    }

    /// The act of a step, if it has one.
    async fn change(
        &self,
        room: &Room,
        trial: &Trial<'_>,
        step: &Shown,
        problems: &mut Vec<String>,
    ) -> Option<DryChangeView> {
        let Trial { plan, incident, held } = trial;
        let change = plan.change(step.place)?;
        let now = decide::situation(room, &change).await;
        let (rails, ledger) = (self.0.library.rails(), self.0.state.read().ledger.clone());
        let asked = decide::Asked { run: RUN, plan, incident: *incident, by: &Who::Automation };
        let undo = step.undo.is_none();
        let mut decision = asked.decision(&rails, &ledger, &now, &change, (false, undo));
        if let Some(why) = held.as_ref().filter(|_| !undo) {
            decision.verdict = decision.verdict.max(Verdict::Recommend);
            decision.reasons.push(why.clone());
        }
        let hits = self.world().hits(room, &change).await.unwrap_or_else(|error| {
            problems.push(error.to_string());
            Vec::new()
        });
        let when = match step.place {
            Place::Step(index) => plan.runbook.steps.get(index).and_then(|step| step.when.clone()),
            Place::Precondition(_) | Place::Undo(_) => None,
        };
        Some(DryChangeView {
            text: step.text.clone(),
            when,
            target: change.target(),
            verdict: decision.verdict,
            reasons: decision.reasons,
            hits,
            undo: step.undo.clone().unwrap_or_else(|| "it takes an earlier act back".to_owned()),
        })
    }
}

fn check(shown: &Shown) -> Option<CheckView> {
    Some(CheckView {
        name: shown.name.clone(),
        text: shown.text.clone(),
        expected: shown.expected.clone()?,
        holds: shown.holds.unwrap_or(false),
        seen: shown.answer.clone().unwrap_or_default(),
    })
}

/// A step that decides.
fn decision(
    plan: &Plan,
    shown: &Shown,
    answers: &BTreeMap<(usize, usize), Answer>,
) -> Option<DryDecisionView> {
    let Place::Step(step) = shown.place else { return None };
    let branch = |Way { fork, answer, taken }: Way| DryBranchView {
        name: fork.name,
        what: fork.what,
        condition: fork.condition,
        seen: answer,
        taken,
    };
    let branches: Vec<DryBranchView> = dry::ways(plan, step, answers).into_iter().map(branch).collect();
    let (name, what) = (shown.name.clone(), shown.what.clone());
    (!branches.is_empty()).then_some(DryDecisionView { name, what, branches })
}

/// What is known without an answer.
fn empty(runbook: &Runbook) -> DryView {
    let approvals = runbook.steps.iter().filter_map(|step| match &step.task {
        Task::Approve { why } => Some(why.clone()),
        _ => None,
    });
    DryView {
        runbook: runbook.name.clone(),
        ready: false,
        preconditions: Vec::new(),
        checks: Vec::new(),
        decisions: Vec::new(),
        approvals: approvals.collect(),
        changes: Vec::new(),
        problems: Vec::new(),
    }
}
