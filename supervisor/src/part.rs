//! What a lab consists of, as data: the supervisor knows how to prepare, start, probe and stop a part.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::probe::Probe;

/// What parts run as instead of the command that they were made with, by the part's name.
pub(crate) type Lines = Arc<Mutex<BTreeMap<String, Line>>>;

/// One process of the lab.
#[derive(Debug, Clone)]
pub struct Part {
    /// Name: in `status`, and of its log and service.
    pub name: String,
    /// The service, if it is a further instance of one; the first instance has the service's name.
    pub instance_of: Option<String>,
    /// The command to run.
    pub command: Line,
    /// Ports that it listens on, by their names in the port table.
    pub ports: BTreeMap<String, u16>,
    /// Base URL of its admin port, for services: where `/faults` and `/protections` are.
    pub admin: Option<String>,
    /// Parts that must be ready before it starts; they are stopped after it.
    pub after: Vec<String>,
    /// Steps to run once before its first start, in this order.
    pub prepare: Vec<Preparation>,
    /// Work to do on request while it is stopped.
    pub errand: Option<Errand>,
    /// How to ask whether it is ready.
    pub probe: Probe,
    /// The signal that asks it to stop.
    pub stop: StopSignal,
    /// How long it may take to stop before it is killed.
    pub grace: Duration,
    /// The file that says how much memory it may use, in bytes: above that it is killed, as a container is. If there is none, it
    /// may use all.
    pub memory_max: Option<PathBuf>,
}

impl Part {
    /// A part with the defaults: stops within 12 seconds of SIGTERM (services drain for up to 10), nothing to
    /// prepare.
    #[must_use]
    pub fn new(name: &str, command: Line, probe: Probe) -> Self {
        Self {
            name: name.to_owned(),
            instance_of: None,
            command,
            ports: BTreeMap::new(),
            admin: None,
            after: Vec::new(),
            prepare: Vec::new(),
            errand: None,
            probe,
            stop: StopSignal::Term,
            grace: Duration::from_secs(12),
            memory_max: None,
        }
    }

    /// The service that it is an instance of: for most parts, their own name.
    #[must_use]
    pub fn service(&self) -> &str {
        self.instance_of.as_ref().unwrap_or(&self.name)
    }

    /// Adds a port.
    #[must_use]
    pub fn port(mut self, name: &str, number: u16) -> Self {
        self.ports.insert(name.to_owned(), number);
        self
    }

    /// Adds parts that it depends on.
    #[must_use]
    pub fn after(mut self, parts: &[&str]) -> Self {
        self.after.extend(parts.iter().map(|&part| part.to_owned()));
        self
    }
}

/// A program with its arguments and environment.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Absolute path, or a name on PATH.
    pub program: PathBuf,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables on top of the inherited ones.
    pub env: Vec<(String, String)>,
    /// Variables that are recreated at each start; they replace those in `env`.
    pub fresh: Vec<Fresh>,
    /// Names of the variables that it inherits in addition to those of every program.
    pub keep: Vec<String>,
    /// Working folder; by default the lab's own folder.
    pub cwd: Option<PathBuf>,
}

impl Line {
    /// A program without arguments.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), ..Self::default() }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets it inherit these variables.
    #[must_use]
    pub fn keep(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keep.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a variable that is recreated at each start.
    #[must_use]
    pub fn fresh(mut self, fresh: Fresh) -> Self {
        self.fresh.push(fresh);
        self
    }
}

/// A variable with a secret in its value. The secret is read at each start of the program, so a restart is enough after it was
/// replaced; a process that runs keeps what it was started with.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The variable.
    pub name: String,
    /// What comes before the secret.
    pub before: String,
    /// The file with the secret.
    pub file: PathBuf,
    /// What comes after it.
    pub after: String,
}

impl Fresh {
    /// The variable; `None` if the file cannot be read: then that in [`Line::env`] counts.
    pub(crate) fn variable(&self) -> Option<(&str, String)> {
        let secret = fs::read_to_string(&self.file).ok()?;
        Some((&self.name, format!("{}{}{}", self.before, secret.trim(), self.after)))
    }
}

/// Work before the first start of a part.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// Skip the steps if this exists: the last step creates it.
    pub unless: PathBuf,
    /// In order; each must succeed.
    pub steps: Vec<Step>,
}

/// One step of a preparation.
#[derive(Debug, Clone)]
pub enum Step {
    /// Deletes a folder that an interrupted preparation left behind.
    Remove(PathBuf),
    /// Runs a program to its end, with this text as its input.
    Run(Line, String),
    /// Gives a folder its final name.
    Rename(PathBuf, PathBuf),
    /// Records that the steps before it are done.
    Mark(PathBuf),
}

/// Work on the data of a part that is possible only while the part is stopped.
#[derive(Debug, Clone)]
pub struct Errand {
    /// A command writes this file and stops the part, which is restarted at once. Deleted when the work is done.
    pub request: PathBuf,
    /// The command that does the work.
    pub line: Line,
}

impl Errand {
    /// Waits until the work is requested: a part that is down need not wait out its delay for it. Without an errand it waits
    /// forever.
    pub(crate) async fn requested(errand: Option<&Self>) {
        let Some(errand) = errand else { return std::future::pending().await };
        while !errand.request.exists() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// How often a part that is down looks for a request.
const LOOK: Duration = Duration::from_millis(100);

/// The signal that asks a part to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopSignal {
    /// SIGTERM.
    Term,
    /// SIGINT: PostgreSQL's fast shutdown, which does not wait for its clients.
    Int,
}

impl StopSignal {
    /// The signal.
    #[must_use]
    pub const fn signal(self) -> Signal {
        match self {
            Self::Term => Signal::TERM,
            Self::Int => Signal::INT,
        }
    }
}
