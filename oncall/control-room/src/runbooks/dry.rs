//! A dry run: every question is asked now, and the guardrails say what automation might do. Changes nothing.

use std::collections::BTreeMap;

use futures::future::join_all;
use runbook::{
    Answer, Given, Place, Plan, Who,
    dry::{self, Shown},
};

use super::{
    Runbooks, decide,
    view::{CheckView, DryChangeView, DryView},
};
use crate::{error::Result, room::Room};

/// What stands for the run.
const RUN: &str = "dry";

impl Runbooks {
    /// What a runbook would do now, with these parameters and labels of an alert.
    ///
    /// # Errors
    /// When there is no such runbook, or its file is wrong. What is missing or does not answer is in the
    /// answer.
    pub async fn dry(
        &self,
        room: &Room,
        name: &str,
        parameters: &BTreeMap<String, String>,
        labels: &BTreeMap<String, String>,
    ) -> Result<DryView> {
        let runbook = self.get(name)?;
        let given = Given { run: RUN, incident: None, parameters, labels };
        let plan = match Plan::new((*runbook).clone(), &given) {
            Ok(plan) => plan,
            Err(problems) => return Ok(empty(name, problems)),
        };
        let questions = dry::questions(&plan);
        let world = self.world();
        let asked = questions.iter().map(|(place, call)| {
            let answer = world.ask(room, call);
            async move { (*place, answer.await) }
        });
        let answers: BTreeMap<Place, Answer> = join_all(asked).await.into_iter().collect();
        let failed = |(_, answer): (&Place, &Answer)| match answer {
            Answer::Failed { why } => Some(why.clone()),
            _ => None,
        };
        let mut problems: Vec<String> = answers.iter().filter_map(failed).collect();
        let shown = dry::run(&plan, &answers, &BTreeMap::new());
        let mut changes = Vec::new();
        for step in &shown.steps {
            changes.extend(self.change(room, &plan, step, &mut problems).await);
        }
        problems.sort_unstable();
        problems.dedup();
        Ok(DryView {
            runbook: name.to_owned(),
            ready: shown.ready,
            preconditions: shown.preconditions.iter().filter_map(check).collect(),
            checks: shown.steps.iter().filter_map(check).collect(),
            changes,
            problems,
        })
    }

    /// The act of a step, if it has one.
    async fn change(
        &self,
        room: &Room,
        plan: &Plan,
        step: &Shown,
        problems: &mut Vec<String>,
    ) -> Option<DryChangeView> {
        let change = plan.change(step.place)?;
        let now = decide::situation(room, &change).await;
        let (rails, ledger) = (self.0.library.rails(), self.0.state.read().ledger.clone());
        let asked = decide::Asked { run: RUN, plan, incident: None, by: &Who::Automation };
        let decision = asked.decision(&rails, &ledger, &now, &change, (false, step.undo.is_none()));
        let hits = self.world().hits(room, &change).await.unwrap_or_else(|error| {
            problems.push(error.to_string());
            Vec::new()
        });
        Some(DryChangeView {
            text: step.text.clone(),
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

fn empty(name: &str, problems: Vec<String>) -> DryView {
    DryView {
        runbook: name.to_owned(),
        ready: false,
        preconditions: Vec::new(),
        checks: Vec::new(),
        changes: Vec::new(),
        problems,
    }
}
