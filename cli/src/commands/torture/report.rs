//! The result, for people and for scripts.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use reconcile::Report as Books;
use serde::Serialize;

use super::{clients::Notes, schedule::Kill};
use crate::parts::table::Broker;

/// How many sentences of one kind are shown; the others are only counted.
const SHOWN: usize = 5;

/// A kill, and whether the victim was running.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Struck {
    #[serde(flatten)]
    pub(super) kill: Kill,
    /// `false`: the victim was not running.
    pub(super) killed: bool,
}

/// The whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether every check passed.
    pub(super) pass: bool,
    /// Why the run ended early, if it did.
    pub(super) interrupted: Option<String>,
    /// The same seed and length repeat the same kills.
    pub(super) seed: u64,
    pub(super) kafka: Broker,
    /// Length of the kills, in seconds.
    pub(super) seconds: f64,
    pub(super) rps: f64,
    pub(super) kills: Vec<Struck>,
    /// How often the lab was started, including the first time.
    pub(super) starts: u32,
    pub(super) clients: ClientReport,
    /// Seconds from the end of the load until everything was settled; absent if that did not happen in time.
    pub(super) at_rest_after: Option<f64>,
    /// The contents of the databases; absent if they could not be read.
    pub(super) books: Option<Books>,
    /// Failed checks, one sentence each.
    pub(super) violations: Vec<String>,
    /// Where the lab's data and logs are, if they were kept.
    pub(super) folder: Option<PathBuf>,
}

/// What the callers saw.
#[derive(Debug, Serialize)]
pub(super) struct ClientReport {
    pub(super) keys: u64,
    pub(super) answered: usize,
    pub(super) unanswered: u64,
    pub(super) requests: u64,
    pub(super) repeats: u64,
    pub(super) held_back: u64,
}

impl ClientReport {
    pub(super) fn of(notes: &Notes) -> Self {
        Self {
            keys: notes.placed,
            answered: notes.answered.len(),
            unanswered: notes.waiting(),
            requests: notes.requests,
            repeats: notes.repeats,
            held_back: notes.held_back,
        }
    }
}

/// Failed checks of the callers.
pub(super) fn complaints(notes: &Notes) -> Vec<String> {
    let mut complaints = Vec::new();
    if notes.waiting() > 0 {
        complaints.push(format!("{} keys were never answered", notes.waiting()));
    }
    for (what, list) in [("keys were refused", &notes.refused), ("keys got two answers", &notes.contradicted)]
    {
        if !list.is_empty() {
            let shown: Vec<&str> = list.iter().take(SHOWN).map(String::as_str).collect();
            complaints.push(format!("{} {what}: {}", list.len(), shown.join("; ")));
        }
    }
    complaints
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lost, doubled) = self.books.as_ref().map_or((0, 0), |books| (books.lost, books.doubled));
        let verdict = if self.pass { "pass" } else { "FAIL" };
        writeln!(f, "{verdict}: {lost} lost, {doubled} doubled")?;
        if let Some(reason) = &self.interrupted {
            writeln!(f, "  ended early: {reason}")?;
        }
        let broker = if self.kafka == Broker::Apache { "Apache Kafka" } else { "lab-kafka" };
        let met = self.kills.iter().filter(|struck| struck.killed);
        let mut victims: BTreeMap<&str, u32> = BTreeMap::new();
        met.for_each(|struck| *victims.entry(&struck.kill.victim).or_default() += 1);
        let list: Vec<String> = victims.iter().map(|(victim, times)| format!("{victim} {times}")).collect();
        writeln!(f, "  seed {}, {:.0} s, {broker}, {} orders per second", self.seed, self.seconds, self.rps)?;
        writeln!(f, "  {} kills: {}", victims.values().sum::<u32>(), list.join(", "))?;
        writeln!(f, "  the lab was started {} times", self.starts)?;
        let clients = &self.clients;
        writeln!(
            f,
            "  {} keys, {} answered, each with one order; {} requests, {} of them repeated after the answer",
            clients.keys, clients.answered, clients.requests, clients.repeats
        )?;
        if clients.held_back > 0 {
            writeln!(f, "  {} orders were not placed, because too many were waiting", clients.held_back)?;
        }
        if let Some(books) = &self.books {
            writeln!(
                f,
                "  orders {}, payments {}, {} cents completed (the load generator's included)",
                counts(&books.orders),
                counts(&books.payments),
                books.completed_cents
            )?;
        }
        match self.at_rest_after {
            Some(seconds) => writeln!(f, "  settled {seconds:.1} s after the end of the load")?,
            None => writeln!(f, "  did not settle")?,
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "  violated: {violation}"))?;
        self.folder.iter().try_for_each(|folder| writeln!(f, "  data and logs: {}", folder.display()))
    }
}

fn counts(by_status: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = by_status.iter().map(|(status, count)| format!("{count} {status}")).collect();
    if counts.is_empty() { "0".to_owned() } else { counts.join(" + ") }
}
