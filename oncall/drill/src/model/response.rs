//! What a responder is asked, and what helps.

use std::time::Duration;

use super::Check;
use crate::{Act, names::Expected};

/// What the responder is asked. Questions that a drill does not ask are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions {
    /// Which components are the cause; empty if nothing is wrong.
    pub components: Vec<String>,
    /// What fails.
    pub mechanism: Option<Choice>,
    /// Which change is the cause: its name, or `none`.
    pub change: Option<String>,
    /// How exact the time of the start has to be.
    pub onset: Option<Duration>,
    /// How many queries have to prove it.
    pub evidence: u32,
}

/// A question with one right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What to choose from, in the order of the file. It is shown by name.
    pub options: Vec<String>,
    /// The right one.
    pub answer: String,
}

/// What helps, what does not, and what harms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mitigations {
    /// What helps.
    pub accepted: Vec<Accepted>,
    /// What does not help.
    pub wrong: Vec<Wrong>,
    /// What harms.
    pub harmful: Vec<Harmful>,
}

/// An action that helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The action.
    pub act: Act,
    /// Faults and surges that end with it, by name.
    pub ends: Vec<String>,
    /// Why it helps.
    pub why: String,
}

/// An action that does not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The action.
    pub act: Act,
    /// Why it does not.
    pub why: String,
    /// Whether verification does it, and how long it waits until this must still hold.
    pub proof: Option<Proof>,
}

/// How it is proven that an action does not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What must still be seen.
    pub still: Check,
    /// After the action.
    pub after: Duration,
    /// The same about the last seconds only, if it can be asked and the drill does not say how long to wait: it is over
    /// earlier if that is seen for long enough.
    pub fresh: Option<Fresh>,
}

/// A question in whose answer nothing is that was so longer ago than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// PromQL.
    pub query: String,
    /// How far it looks back.
    pub looks_back: Duration,
}

/// An action that harms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harmful {
    /// The action.
    pub act: Act,
    /// What it harms.
    pub why: String,
}

/// Help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The text.
    pub text: String,
    /// Points that it costs.
    pub cost: u32,
}

/// How the validity suite must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// If nobody does anything.
    pub nothing: Expected,
    /// If every service is restarted.
    pub restart_all: Expected,
}

/// A step of the solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Do something.
    Act(Act),
    /// Wait.
    Wait(Duration),
    /// Wait until something is seen.
    Until {
        /// What.
        check: Check,
        /// How long at most.
        within: Duration,
    },
}
