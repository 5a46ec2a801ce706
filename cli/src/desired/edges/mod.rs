//! Settings of the edges, seen and changed over their admin ports, which answer even while a public port is stuck.
//!
//! What an edge was told is lost if it restarts. One that does not answer holds up nobody: the others are set, and it is once it
//! answers again. Of several edges, one gets a new text of a rule first (`trial`, `first`).

mod answer;
mod first;
mod trial;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Result, bail};
use futures::future::join_all;
use observe::Peer;
use release::desired::{Act, Seen, Setting, Settings};

use self::{
    answer::{Answer, ask},
    trial::Trials,
};
use super::{
    calls::{Call, calls, send},
    member::Member,
};
use crate::parts::edge::EDGE;

/// Longest wait for an answer: one that hangs must not hold up the others for long.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// What is found if the instances do not agree, or what was in force if nobody knows: no setting has this value.
pub(super) const DIFFERS: &str = "not the same everywhere";

/// All edges.
pub(super) struct Edges {
    token: Option<String>,
    /// By their names.
    edges: BTreeMap<String, Edge>,
    /// Whether anybody was met: an edge that comes later is a new one.
    met: bool,
    /// What an edge that did not answer was not told.
    missed: BTreeSet<Setting>,
    /// Texts of rules that one edge has got first.
    trials: Trials,
}

/// How far an act has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Every edge that answers has it.
    Everywhere,
    /// One edge has it and is watched: the act comes again.
    First,
}

/// One of them.
struct Edge {
    admin: String,
    peer: Peer,
    /// The process that runs now, if it is known.
    running: Option<String>,
    /// The process that answered last, if it is known.
    process: Option<String>,
    /// Whether it has come since the first look, and was told nothing.
    fresh: bool,
    /// What it said at the last look; none if it did not answer.
    says: Option<Answer>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Look {
    /// How the settings are, on the instances that answer.
    pub(super) seen: BTreeMap<Setting, Seen>,
    /// Instances that do not answer, a sentence each.
    pub(super) silent: Vec<String>,
    /// What an instance may have lost, as it restarted, or was not told, as it did not answer.
    pub(super) lost: BTreeSet<Setting>,
    /// Routes whose weights were set by hand: the edge, and the route.
    pub(super) reweighted: Vec<(String, String)>,
}

impl Edges {
    /// Nobody yet, with the token that their switches take.
    pub(super) const fn new(token: Option<String>) -> Self {
        let trials = Trials::new();
        Self { token, edges: BTreeMap::new(), met: false, missed: BTreeSet::new(), trials }
    }

    /// Whether they are set from here.
    pub(super) const fn have(setting: &Setting) -> bool {
        matches!(setting, Setting::Limit | Setting::Firewall | Setting::Mode { .. } | Setting::Rule { .. })
    }

    /// How these settings are, those that an edge was not told, and the weights of the routes of these services.
    pub(super) async fn look(
        &mut self,
        settings: BTreeSet<Setting>,
        (wanted, services): (&Settings, &[String]),
        members: &[Member],
    ) -> Look {
        self.meet(members);
        let asked = self.edges.iter().map(|(name, edge)| async move {
            (name.clone(), ask(&edge.peer).await.map_err(|error| format!("{error:#}")))
        });
        let answers = join_all(asked).await.into_iter().collect();
        self.found(settings, (wanted, services), answers)
    }

    /// Takes who runs now.
    fn meet(&mut self, members: &[Member]) {
        let mut before = std::mem::take(&mut self.edges);
        let fresh = self.met;
        for member in members.iter().filter(|member| member.service == EDGE) {
            let peer = || Peer::at(&member.admin).token(self.token.clone()).patience(PATIENCE);
            let (admin, running) = (member.admin.clone(), member.process.clone());
            let edge = match before.remove(&member.name) {
                Some(known) if known.admin == admin => Edge { running, ..known },
                // The same one at another address.
                Some(known) => Edge { admin, peer: peer(), running, says: None, ..known },
                None => Edge { admin, peer: peer(), running, process: None, fresh, says: None },
            };
            self.edges.insert(member.name.clone(), edge);
        }
        self.met |= !self.edges.is_empty();
    }

    /// Takes the answers of the edges, by their names.
    fn found(
        &mut self,
        mut settings: BTreeSet<Setting>,
        (wanted, services): (&Settings, &[String]),
        mut answers: BTreeMap<String, Result<Answer, String>>,
    ) -> Look {
        settings.extend(self.missed.iter().cloned());
        let (mut look, mut lost, mut whys) = (Look::default(), false, Vec::new());
        for (name, edge) in &mut self.edges {
            let answered = edge.says.is_some();
            edge.says = match answers.remove(name) {
                Some(Ok(answer)) => Some(answer),
                Some(Err(why)) => {
                    look.silent.push(format!("{name} does not answer, and is set once it does: {why}"));
                    whys.push(why);
                    None
                }
                None => None,
            };
            let Some(answer) = &edge.says else { continue };
            let restarted = edge.process.is_some() && edge.running.is_some() && edge.process != edge.running;
            // Of one whose process is not known, nobody can say whether it restarted.
            let missed = edge.running.is_none() || !self.missed.is_empty();
            lost |= restarted || edge.fresh || (!answered && missed);
            edge.fresh = false;
            edge.process = edge.running.clone().or(edge.process.take());
            let own = answer.reweighted(services).map(|route| (name.clone(), route.to_owned()));
            look.reweighted.extend(own);
        }
        if look.silent.is_empty() {
            self.missed.clear();
        }
        look.seen = settings.iter().map(|one| (one.clone(), self.seen(one, wanted, whys.first()))).collect();
        look.lost = if lost { settings } else { BTreeSet::new() };
        look
    }

    fn seen(&self, setting: &Setting, wanted: &Settings, why: Option<&String>) -> Seen {
        let answers = self.edges.values().filter_map(|edge| edge.says.as_ref());
        let mut found = answers.map(|answer| answer.value(setting, wanted));
        let Some(first) = found.next() else {
            return Seen::Unknown(why.cloned().unwrap_or_else(|| "the lab has no edge".to_owned()));
        };
        if found.any(|other| other != first) {
            return Seen::Value(DIFFERS.to_owned());
        }
        first.map_or(Seen::Absent, Seen::Value)
    }

    /// Where a setting is not as it should be: the names of edges; none if there is only one.
    pub(super) fn differing(&self, setting: &Setting, wanted: &Settings) -> Vec<&str> {
        if self.edges.len() < 2 {
            return Vec::new();
        }
        let answers = self.edges.iter().filter_map(|(name, edge)| Some((name, edge.says.as_ref()?)));
        let should = wanted.get(setting);
        let differing = answers.filter(|(_, answer)| answer.value(setting, wanted).as_ref() != should);
        differing.map(|(name, _)| name.as_str()).collect()
    }

    /// Does it on every edge that answered at the last look, even if one of them refuses. May be repeated. Of several edges, one gets
    /// a text of a rule first; `before` is the text that was in force.
    ///
    /// # Errors
    /// When no edge can do it, or an edge refuses: then nobody knows which edges have the setting. When a rule costs too much.
    pub(super) async fn perform(
        &mut self,
        act: &Act,
        wanted: &Settings,
        before: Option<String>,
    ) -> Result<Done> {
        match (&act.setting, &act.to) {
            (Setting::Rule { rule }, Some(text)) if self.edges.len() > 1 => {
                let done = self.tried(act, (rule, text), wanted, before).await?;
                if done == Done::First {
                    return Ok(done);
                }
            }
            (Setting::Rule { rule }, _) => self.trials.forget(rule),
            // It comes with the text.
            (Setting::Mode { rule }, _) if self.trials.open(rule).is_some() => return Ok(Done::First),
            _ => {}
        }
        self.everywhere(act, wanted).await.map(|()| Done::Everywhere)
    }

    async fn everywhere(&mut self, act: &Act, wanted: &Settings) -> Result<()> {
        let calls = calls(act, wanted)?;
        let mut refused = Vec::new();
        for (name, edge) in self.edges.iter().filter(|(_, edge)| edge.says.is_some()) {
            for call in &calls {
                if let Err(error) = send(&edge.peer, call).await {
                    refused.push(format!("{name}: {error}"));
                    break;
                }
            }
        }
        self.performed(act, refused.is_empty());
        if refused.is_empty() { Ok(()) } else { bail!("{}", refused.join("; ")) }
    }

    fn performed(&mut self, act: &Act, everywhere: bool) {
        // One that refused may not answer at the next look: then it is told once it does.
        if !everywhere || self.edges.values().any(|edge| edge.says.is_none()) {
            self.missed.insert(act.setting.clone());
        }
    }

    /// Gives routes the weights of their files again. What fails is seen at the next look.
    pub(super) async fn unweigh(&self, reweighted: &[(String, String)]) {
        for (name, route) in reweighted {
            if let Some(edge) = self.edges.get(name) {
                let _ = send(&edge.peer, &Call::Withdraw { path: format!("/routes/{route}") }).await;
            }
        }
    }

    /// Takes back what the files of an edge have by now. What fails is taken back after the next look.
    pub(super) async fn tidy(&self, wanted: &Settings) {
        for edge in self.edges.values() {
            for path in edge.says.iter().flat_map(|answer| answer.redundant(wanted)) {
                let _ = send(&edge.peer, &Call::Withdraw { path }).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
