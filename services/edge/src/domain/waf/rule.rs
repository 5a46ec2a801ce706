//! One rule: what it looks at, how, and what becomes of a request that it finds.

use super::{
    machine::{End, Leash, Machine, Run},
    program::Program,
    table::Table,
    target::Target,
};

/// What becomes of a request that a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The rule does not run.
    Off,
    /// It is counted and passes. The rule runs, and costs what it costs.
    Simulate,
    /// It is refused.
    Enforce,
}

impl Mode {
    /// The words of the files.
    pub const WORDS: [(&'static str, Self); 3] =
        [("off", Self::Off), ("simulate", Self::Simulate), ("enforce", Self::Enforce)];

    /// As the files have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Simulate => "simulate",
            Self::Enforce => "enforce",
        }
    }
}

/// How a rule looks for its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Reads the text once, whatever the pattern is.
    Linear,
    /// Tries one way after another.
    Backtracking,
}

impl Engine {
    /// The words of the files.
    pub const WORDS: [(&'static str, Self); 2] =
        [("linear", Self::Linear), ("backtracking", Self::Backtracking)];

    /// As the files have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Backtracking => "backtracking",
        }
    }
}

/// What becomes of a request for which a rule ran over its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOverrun {
    /// The rule is taken not to have found it.
    Pass,
    /// The rule is taken to have found it.
    Block,
}

impl OnOverrun {
    /// The words of the files.
    pub const WORDS: [(&'static str, Self); 2] = [("pass", Self::Pass), ("block", Self::Block)];
}

/// A request that a rule is tried with, and what has to come of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it stands for.
    pub what: String,
    /// Its path.
    pub path: String,
    /// Its query, as it is sent.
    pub query: String,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: bytes::Bytes,
    /// Whether the rule has to find it.
    pub found: bool,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name: of its file, in metrics, in the log.
    pub id: String,
    /// What identifies the text of its file ([`contracts::firewall::fingerprint`]).
    pub fingerprint: String,
    /// What it is for.
    pub title: String,
    /// What it does to a request.
    pub mode: Mode,
    /// Its engine.
    pub engine: Engine,
    /// What it looks at.
    pub targets: Vec<Target>,
    /// What it looks for.
    pub pattern: String,
    /// Most steps for one request.
    pub cost: u64,
    /// What happens beyond that.
    pub on_overrun: OnOverrun,
    /// What it is tried with.
    pub cases: Vec<Case>,
    pub(super) matcher: Matcher,
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Matcher {
    Linear(Table),
    Backtracking(Program),
}

impl Matcher {
    /// Compiles `pattern` for `engine`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn new(engine: Engine, pattern: &str) -> Result<Self, String> {
        match engine {
            Engine::Backtracking => Program::new(pattern).map(Self::Backtracking),
            Engine::Linear => Table::new(pattern).map(Self::Linear),
        }
    }

    /// Looks for the pattern in `text`. The linear engine takes a step for each byte; it is not begun without
    /// enough of them.
    pub(super) fn search(&self, text: &[u8], machine: &mut Machine, leash: &mut Leash<'_>) -> Run {
        match self {
            Self::Backtracking(program) => machine.search(program, text, leash),
            Self::Linear(table) => {
                let steps = u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1);
                if steps > leash.most {
                    return Run { end: End::Overrun, steps: 0 };
                }
                let end = if table.finds(text) { End::Found } else { End::Absent };
                Run { end, steps }
            }
        }
    }
}
