//! What happens in a drill.

use std::{collections::BTreeMap, time::Duration};

use super::Way;
use crate::names::{ChangeKind, Layer, Trait};

/// What a drill is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Where the cause is.
    pub layers: Vec<Layer>,
    /// What fails, in one word: `pool-exhaustion`.
    pub mechanism: String,
    /// What is special.
    pub traits: Vec<Trait>,
}

/// What callers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Name of the mix.
    pub scenario: String,
    /// Requests per second at the baseline.
    pub rps: u32,
    /// Times with more or fewer.
    pub surges: Vec<Surge>,
}

/// A time with another load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surge {
    /// Its name in this drill, which those that come again and again share; none if nothing ends it.
    pub name: Option<String>,
    /// After the baseline.
    pub after: Duration,
    /// Requests per second.
    pub rps: u32,
    /// How long.
    pub lasts: Duration,
    /// Whether a response can end it: then a verification does not wait until it is over by itself.
    pub lasting: bool,
}

/// Something harmless that a trainee sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noise {
    /// After the baseline.
    pub after: Duration,
    /// A change; none for a message.
    pub change: Option<ChangeKind>,
    /// The name of the change, by which it is answered and taken back; none for a message.
    pub name: Option<String>,
    /// The service that it is about.
    pub service: Option<String>,
    /// What is seen.
    pub text: String,
}

/// A change that belongs to the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name, for answers and for taking it back.
    pub name: String,
    /// After the baseline.
    pub after: Duration,
    /// What kind.
    pub kind: ChangeKind,
    /// Where.
    pub service: String,
    /// What is seen in the list of changes.
    pub text: String,
}

/// A protection that is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakened {
    /// The service.
    pub service: String,
    /// The only replica without it, counted from 1; none: all of them.
    pub replica: Option<u32>,
    /// The protection.
    pub protection: String,
}

impl Weakened {
    /// Where it is off: the service, or one of its replicas, such as `edge-2`.
    #[must_use]
    pub fn target(&self) -> String {
        target(&self.service, self.replica)
    }

    /// Whether another one is about the same protection, of the same replica; if this one names none, of any.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let same = self.replica.is_none() || self.replica == other.replica;
        same && self.service == other.service && self.protection == other.protection
    }
}

/// A service, or one of its replicas.
fn target(service: &str, replica: Option<u32>) -> String {
    replica.map_or_else(|| service.to_owned(), |number| format!("{service}-{number}"))
}

/// What kind of thing is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A fault point of a service.
    Point,
    /// A rule of `waf/incidents` that is pushed to the edge, as a person would. It is no secret: everyone sees the rule.
    Rule,
    /// A part of the lab that is killed and stays stopped: a store, a service, or what notifies. Everyone sees that it is
    /// gone.
    Part,
    /// A script that is run with the rights of the lab's owner, as somebody at a terminal would: statements in PostgreSQL, commands
    /// of `lab`, or a file that is moved.
    Script,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name in this drill.
    pub name: String,
    /// The service, or the part that is stopped.
    pub service: String,
    /// The only replica that has it, counted from 1; none: all of them.
    pub replica: Option<u32>,
    /// What it is.
    pub kind: FaultKind,
    /// The fault point, the rule, or the script; `stopped` for a part.
    pub fault: String,
    /// How a rule is pushed: all at once, unless an action item is switched on.
    pub way: Way,
    /// Its parameters, without `ttl` and `seed`: the run sets them.
    pub parameters: BTreeMap<String, String>,
    /// After the baseline.
    pub after: Duration,
    /// When it is over by itself, from the moment at which it is set; none: a response or the run ends it.
    pub lasts: Option<Duration>,
    /// The change that caused it.
    pub change: Option<String>,
    /// Whether the cause is still there after a restart of the service.
    pub survives_restart: bool,
}

impl Fault {
    /// Where it is set: the service, or one of its replicas, such as `order-api-2`.
    #[must_use]
    pub fn target(&self) -> String {
        target(&self.service, self.replica)
    }

    /// Whether a name is that of one of several replicas that have it.
    #[must_use]
    pub fn is_in(&self, name: &str) -> bool {
        let number = name.strip_prefix(self.service.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.replica.is_none() && number.is_some_and(is_number)
    }
}

/// When a drill may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// How long everything has to be healthy.
    pub holds: Duration,
    /// How long to wait for that.
    pub within: Duration,
    /// What must hold beside what every drill requires.
    pub checks: Vec<Check>,
}

/// A condition: it holds if the query returns at least one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// For people.
    pub name: String,
    /// PromQL.
    pub query: String,
}
