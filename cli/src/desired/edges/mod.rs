//! Settings of the edges, seen and changed over their admin ports, which answer even while a public port is stuck.
//!
//! What an edge was told is lost if it restarts. One that does not answer holds up nobody: the others are set, and it is once it
//! answers again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Result, bail};
use observe::Peer;
use release::desired::{Act, Seen, Setting, Settings};
use serde_json::Value;
use supervisor::process::ProcId;

use super::calls::{calls, send};

/// Longest wait for an answer: one that hangs must not hold up the others for long.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// What is found if the instances do not agree, or what was in force if nobody knows: no setting has this value.
pub(super) const DIFFERS: &str = "not the same everywhere";

/// The processes that run, by the names of their parts.
pub(super) type Running = BTreeMap<String, ProcId>;

/// All edges of a lab.
pub(super) struct Edges {
    edges: Vec<Edge>,
    /// Files of rules that were pushed, by the rule's name: an edge says that a rule was pushed, but not which file.
    pushed: BTreeMap<String, String>,
    /// What an edge that did not answer was not told.
    missed: BTreeSet<Setting>,
}

/// One of them.
struct Edge {
    name: String,
    peer: Peer,
    /// The process that answered last, if it is known.
    process: Option<ProcId>,
    /// Whether it answered at the last look.
    answers: bool,
}

/// What an edge says of itself.
struct Answer {
    limit: Value,
    waf: Value,
}

/// What was found.
pub(super) struct Look {
    /// How the settings are, on the edges that answer.
    pub(super) seen: BTreeMap<Setting, Seen>,
    /// Edges that do not answer, a sentence each.
    pub(super) silent: Vec<String>,
    /// What an edge may have lost, as it restarted, or was not told, as it did not answer.
    pub(super) lost: BTreeSet<Setting>,
}

impl Edges {
    /// By their names and admin ports.
    pub(super) fn new(edges: Vec<(String, Peer)>) -> Self {
        let edge = |(name, peer): (String, Peer)| Edge {
            name,
            peer: peer.patience(PATIENCE),
            process: None,
            answers: false,
        };
        Self {
            edges: edges.into_iter().map(edge).collect(),
            pushed: BTreeMap::new(),
            missed: BTreeSet::new(),
        }
    }

    /// Whether they are set from here.
    pub(super) const fn have(setting: &Setting) -> bool {
        matches!(setting, Setting::Limit | Setting::Firewall | Setting::Mode { .. } | Setting::Rule { .. })
    }

    /// How these settings are, and those that an edge was not told. Asks nobody if there are none.
    pub(super) async fn look(&mut self, mut settings: BTreeSet<Setting>, running: &Running) -> Look {
        settings.extend(self.missed.iter().cloned());
        if settings.is_empty() {
            return Look { seen: BTreeMap::new(), silent: Vec::new(), lost: BTreeSet::new() };
        }
        let mut answers = Vec::with_capacity(self.edges.len());
        for edge in &self.edges {
            answers.push(ask(&edge.peer).await.map_err(|error| format!("{error:#}")));
        }
        self.found(settings, &answers, running)
    }

    /// Takes the answers of all edges, in their order.
    fn found(
        &mut self,
        settings: BTreeSet<Setting>,
        answers: &[Result<Answer, String>],
        running: &Running,
    ) -> Look {
        let (mut silent, mut lost) = (Vec::new(), false);
        for (edge, answer) in self.edges.iter_mut().zip(answers) {
            if let Err(why) = answer {
                silent.push(format!("{} does not answer, and is set once it does: {why}", edge.name));
            } else {
                let process = running.get(&edge.name).copied();
                let restarted = edge.process.is_some() && process.is_some() && edge.process != process;
                // Of one whose process is not known, nobody can say whether it restarted.
                let missed = process.is_none() || !self.missed.is_empty();
                lost |= restarted || (!edge.answers && missed);
                edge.process = process.or(edge.process);
            }
            edge.answers = answer.is_ok();
        }
        if lost {
            // Nobody knows which file it has.
            self.pushed.values_mut().for_each(|file| DIFFERS.clone_into(file));
        }
        if silent.is_empty() {
            self.missed.clear();
        }
        let seen = settings.iter().map(|setting| (setting.clone(), self.seen(setting, answers))).collect();
        Look { seen, silent, lost: if lost { settings } else { BTreeSet::new() } }
    }

    fn seen(&self, setting: &Setting, answers: &[Result<Answer, String>]) -> Seen {
        let answered = answers.iter().filter_map(|answer| answer.as_ref().ok());
        let mut found = answered.map(|answer| self.value(setting, answer));
        let Some(first) = found.next() else {
            let why = answers.iter().find_map(|answer| answer.as_ref().err().cloned());
            return Seen::Unknown(why.unwrap_or_else(|| "the lab has no edge".to_owned()));
        };
        if found.any(|other| other != first) {
            return Seen::Value(DIFFERS.to_owned());
        }
        first.map_or(Seen::Absent, Seen::Value)
    }

    /// As [`release::desired::Desired::settings`] writes it; none if it is not set.
    fn value(&self, setting: &Setting, answer: &Answer) -> Option<String> {
        match setting {
            Setting::Limit => {
                let limit = answer.limit.get("limit")?;
                let (rps, burst) = (limit.get("rps")?.as_f64()?, limit.get("burst")?.as_u64()?);
                Some(format!("rps={rps} burst={burst}"))
            }
            Setting::Firewall => answer.waf.get("enabled")?.as_bool().map(|on| on.to_string()),
            Setting::Mode { rule } => answer.rule(rule)?.get("mode")?.as_str().map(str::to_owned),
            Setting::Rule { rule } => {
                answer.rule(rule)?.get("pushed")?.as_bool().filter(|pushed| *pushed)?;
                self.pushed.get(rule).cloned()
            }
            _ => None,
        }
    }

    /// Does it on every edge that answered at the last look, even if one of them refuses. May be repeated.
    ///
    /// # Errors
    /// When no edge can do it, or an edge refuses: then nobody knows which edges have the setting.
    pub(super) async fn perform(&mut self, act: &Act, wanted: &Settings) -> Result<()> {
        let calls = calls(act, wanted)?;
        let mut refused = Vec::new();
        for edge in self.edges.iter().filter(|edge| edge.answers) {
            for call in &calls {
                if let Err(error) = send(&edge.peer, call).await {
                    refused.push(format!("{}: {error}", edge.name));
                    break;
                }
            }
        }
        self.performed(act, refused.is_empty());
        if refused.is_empty() { Ok(()) } else { bail!("{}", refused.join("; ")) }
    }

    fn performed(&mut self, act: &Act, everywhere: bool) {
        // One that refused may not answer at the next look: then it is told once it does.
        if !everywhere || self.edges.iter().any(|edge| !edge.answers) {
            self.missed.insert(act.setting.clone());
        }
        let Setting::Rule { rule } = &act.setting else { return };
        let file = if everywhere { act.to.clone() } else { Some(DIFFERS.to_owned()) };
        match file {
            Some(file) => drop(self.pushed.insert(rule.clone(), file)),
            None => drop(self.pushed.remove(rule)),
        }
    }
}

impl Answer {
    fn rule(&self, id: &str) -> Option<&Value> {
        let rules = self.waf.get("rules")?.as_array()?;
        rules.iter().find(|rule| rule.get("id").and_then(Value::as_str) == Some(id))
    }
}

async fn ask(peer: &Peer) -> Result<Answer> {
    Ok(Answer { limit: peer.get("/limit", &[]).await?, waf: peer.get("/waf", &[]).await? })
}

#[cfg(test)]
mod tests;
