//! Puts the files into force: all of them, or none if one is wrong. Then what was in force before stays, and
//! the mistakes are shown until they are corrected.

use std::{sync::Arc, time::Duration};

use chassis_core::config::Invalid;
use chassis_telemetry::{Chassis, metrics::Metrics};
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use super::{Files, Firewall, InForce, Texts};
use crate::{
    domain::{
        table::{self, Table},
        waf::{self, Rule},
    },
    metrics::FileMetrics,
};

/// The files, read.
pub struct Loaded {
    /// What they say, to see whether it changes.
    texts: Texts,
    /// The routes.
    pub table: Table,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// Reads the files again and again.
pub struct Loader {
    files: Files,
    /// No route may take longer.
    longest: Duration,
    state: Mutex<State>,
    live: Arc<InForce>,
    firewall: Arc<Firewall>,
    metrics: FileMetrics,
}

struct State {
    /// What was read last, whether it is in force or not.
    texts: Option<Texts>,
    /// What is wrong with it.
    problems: Vec<String>,
}

impl Loaded {
    /// Reads `files`; no route may take longer than `longest`.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(files: &Files, longest: Duration) -> Result<Self, Vec<String>> {
        Self::of(files.read().map_err(|wrong| vec![wrong])?, longest).map_err(|(_, problems)| problems)
    }

    fn of(texts: Texts, longest: Duration) -> Result<Self, (Texts, Vec<String>)> {
        let mut problems = Vec::new();
        let mut take = |wrong: yaml::Problems| problems.extend(wrong.0.iter().map(ToString::to_string));
        let (name, text) = &texts.routes;
        let table = table::read(name, text, longest).map_err(&mut take).ok();
        let rules: Vec<_> = texts
            .rules
            .iter()
            .filter_map(|(name, text)| waf::read(name, text).map_err(&mut take).ok())
            .collect();
        match table {
            Some(table) if problems.is_empty() => Ok(Self { texts, table, rules }),
            _ => Err((texts, problems)),
        }
    }

    /// Reads `files` at the start.
    ///
    /// # Errors
    /// [`Invalid`], which names the variable and every mistake.
    pub fn at_start(files: &Files, longest: Duration) -> anyhow::Result<Self> {
        let invalid = |problems: Vec<String>| Invalid::new("EDGE_ROUTES, WAF_RULES", problems.join("\n"));
        Ok(Self::read(files, longest).map_err(invalid)?)
    }

    /// Its parts, to start with.
    pub(crate) fn into_parts(self) -> (Texts, Table, Vec<Rule>) {
        (self.texts, self.table, self.rules)
    }
}

/// What a [`Loader`] puts into force, and where.
pub(crate) struct LoaderParts {
    pub(crate) files: Files,
    pub(crate) longest: Duration,
    pub(crate) live: Arc<InForce>,
    pub(crate) firewall: Arc<Firewall>,
}

impl Loader {
    /// Of files that are in force already, with these texts.
    pub(crate) fn new(parts: LoaderParts, texts: Texts, metrics: &Metrics) -> Self {
        let LoaderParts { files, longest, live, firewall } = parts;
        let metrics = FileMetrics::register(metrics);
        metrics.edge_files_sound.set(1);
        let state = Mutex::new(State { texts: Some(texts), problems: Vec::new() });
        Self { files, longest, state, live, firewall, metrics }
    }

    /// Reads the files, and puts them into force if they have changed and are sound.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn load(&self) -> Result<(), Vec<String>> {
        let mut state = self.state.lock();
        let texts = match self.files.read() {
            Ok(texts) => texts,
            // A file that is being replaced is missing for a moment: what was read before stays.
            Err(wrong) => return Err(self.refuse(&mut state, None, vec![wrong])),
        };
        if state.texts.as_ref() == Some(&texts) {
            return if state.problems.is_empty() { Ok(()) } else { Err(state.problems.clone()) };
        }
        match Loaded::of(texts, self.longest) {
            Ok(loaded) => {
                self.apply(&mut state, loaded);
                Ok(())
            }
            Err((texts, problems)) => Err(self.refuse(&mut state, Some(texts), problems)),
        }
    }

    fn apply(&self, state: &mut State, loaded: Loaded) {
        let Loaded { texts, table, rules } = loaded;
        let (routes, count) = (table.routes.len(), rules.len());
        self.live.replace(table);
        self.firewall.load(rules);
        *state = State { texts: Some(texts), problems: Vec::new() };
        self.metrics.applied.inc();
        self.metrics.edge_files_sound.set(1);
        tracing::info!(routes, rules = count, "routes and rules were read again");
    }

    /// Keeps what is in force. Says so once for each change of the files.
    fn refuse(&self, state: &mut State, texts: Option<Texts>, problems: Vec<String>) -> Vec<String> {
        if state.problems != problems {
            self.metrics.refused.inc();
            self.metrics.edge_files_sound.set(0);
            let problems = problems.join("; ");
            tracing::error!(problems, "routes and rules cannot be read; those before stay in force");
        }
        // Missing files count as a change once they are back.
        *state = State { texts, problems: problems.clone() };
        problems
    }

    /// What is wrong with the files that were read last.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.state.lock().problems.clone()
    }

    /// Loads every now and then, until the process stops.
    pub async fn watch(self: Arc<Self>, every: Duration, chassis: Chassis) {
        if !self.files.can_change() {
            return;
        }
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while chassis.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            let this = Arc::clone(&self);
            // Its mistakes are in the log and on the admin port.
            let _ = tokio::task::spawn_blocking(move || this.load()).await;
        }
    }
}
