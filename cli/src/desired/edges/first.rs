//! Gives a text of a rule to one edge, and takes it back there.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use release::desired::{Act, Setting, Settings};
use tokio::time::Instant;

use super::{
    Done, Edge, Edges,
    answer::counts,
    trial::{Says, Step, Trial},
};
use crate::desired::calls::{Call, calls, send};

impl Edges {
    /// What is left to do about a text of a rule: nothing now, or what it is for every edge ([`Done::Everywhere`]).
    ///
    /// # Errors
    /// When the edge refuses it, or it has cost too much there.
    pub(super) async fn tried(
        &mut self,
        act: &Act,
        (rule, text): (&str, &str),
        wanted: &Settings,
        before: Option<String>,
    ) -> Result<Done> {
        let edges = &self.edges;
        match self.trials.next(rule, text, |edge| says(edges, edge, rule), Instant::now()) {
            Step::Begin => self.begin(act, (rule, text), wanted, before).await,
            Step::Wait => Ok(Done::First),
            Step::Everywhere => Ok(Done::Everywhere),
            Step::TakeBack { edge, why } => self.take_back(rule, (&edge, &why), wanted).await,
            Step::Refused(why) => bail!("{why}"),
        }
    }

    /// The edge that has a text of this rule first, while it is watched there.
    pub(in crate::desired) fn trying(&self, setting: &Setting) -> Option<&str> {
        match setting {
            Setting::Rule { rule } => self.trials.open(rule).map(|trial| trial.edge.as_str()),
            _ => None,
        }
    }

    async fn begin(
        &mut self,
        act: &Act,
        (rule, text): (&str, &str),
        wanted: &Settings,
        before: Option<String>,
    ) -> Result<Done> {
        let first = self.edges.iter().find(|(_, edge)| edge.says.is_some());
        let (name, peer) =
            first.map(|(name, edge)| (name.clone(), edge.peer.clone())).context("no edge answers")?;
        for call in &calls(act, wanted)? {
            send(&peer, call).await.with_context(|| name.clone())?;
        }
        let says = peer.get(&path(rule), &[]).await.with_context(|| name.clone())?;
        let counts = counts(&says).with_context(|| format!("{name} does not say what {rule} has counted"))?;
        let since = Instant::now();
        self.trials.begun(rule, Trial { edge: name, text: text.to_owned(), back: before, counts, since });
        Ok(Done::First)
    }

    /// Always an error, once it is taken back: until then, the next look tries again.
    async fn take_back(&mut self, rule: &str, (edge, why): (&str, &str), wanted: &Settings) -> Result<Done> {
        let Some(peer) = self.edges.get(edge).map(|edge| edge.peer.clone()) else { return Ok(Done::First) };
        let back = self.trials.open(rule).and_then(|trial| trial.back.clone());
        let calls = match back {
            Some(_) => calls(&Act { setting: Setting::Rule { rule: rule.to_owned() }, to: back }, wanted)?,
            // With its mode: perhaps no file has the rule.
            None => vec![Call::Withdraw { path: path(rule) }],
        };
        for call in &calls {
            if send(&peer, call).await.is_err() {
                return Ok(Done::First);
            }
        }
        let why = format!("{edge} had it first: {why}; it was taken back there, and needs another commit");
        self.trials.taken_back(rule, why.clone());
        bail!("{why}")
    }
}

fn path(rule: &str) -> String {
    format!("/waf/{rule}")
}

/// What an edge says of a rule that it got first.
fn says(edges: &BTreeMap<String, Edge>, name: &str, rule: &str) -> Says {
    let Some(edge) = edges.get(name) else { return Says::Gone };
    let Some(answer) = &edge.says else { return Says::Nothing };
    answer.pushed(rule).map_or(Says::Gone, Says::Counts)
}
