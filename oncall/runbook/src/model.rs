//! What a runbook says, after it was read and checked. Texts still have holes; a [`crate::Plan`] fills them.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    Verb, answer::Expect, class::Class, parameter::Parameter, query::Query, reach::BlastRadius,
    template::Template,
};

/// Names that every runbook may use in its holes, besides its parameters: the id of the run, its incident (the id of
/// the run, if it has none), and the name of the runbook.
pub const BUILT_IN: [&str; 3] = ["run", "incident", "runbook"];

/// A runbook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runbook {
    /// The name of its file, without `.yaml`.
    pub name: String,
    /// The alert that it is for; a procedure of its own has none.
    pub alert: Option<String>,
    /// What it does, in a few words.
    pub title: String,
    /// What kind of work a procedure is if it runs without an incident.
    pub class: Class,
    /// Services that it is about: while one of them is deployed, or has another incident, it does not run by itself.
    pub services: Vec<Template>,
    /// Its parameters, by name.
    pub parameters: Vec<Parameter>,
    /// What has to be so before its first step.
    pub preconditions: Vec<Precondition>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// What has to be so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Precondition {
    /// Unique among the preconditions.
    pub name: String,
    /// Why, for people.
    pub what: String,
    /// How that is known.
    pub look: Look,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Unique among the steps.
    pub name: String,
    /// What it is for, for people.
    pub what: String,
    /// The branch that has to be chosen before; none: it is always done.
    pub when: Option<String>,
    /// What is done.
    pub task: Task,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Looks once: `check`, `http` and `sql`.
    Look {
        /// At what.
        look: Look,
        /// What happens if it is not as expected.
        otherwise: Otherwise,
    },
    /// Chooses one of several branches.
    Decide {
        /// At least two; in mode ask and auto, the first whose look holds is taken.
        branches: Vec<Branch>,
    },
    /// Changes the system.
    Act(Act),
    /// Looks until it is so.
    WaitUntil(Wait),
    /// Waits for a second person.
    Approve {
        /// Why one is needed.
        why: String,
    },
    /// Proves that it helped.
    Verify(Wait),
    /// Takes an act back as part of the plan.
    Undo {
        /// Index of the step with the act.
        act: usize,
    },
}

/// One choice of a decision: the steps with its name in `when` are done, those of the other branches are not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Branch {
    /// Unique in the runbook.
    pub name: String,
    /// When it is the right one, for the person who chooses.
    pub what: String,
    /// What tells that it is the right one; without that, only a person can choose.
    pub look: Option<Look>,
}

/// What happens if a look does not show what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Otherwise {
    /// The run ends; acts that were done are taken back.
    Stop,
    /// The run continues.
    Continue,
}

/// A question, and what is expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// The question.
    pub ask: Ask,
    /// The expected answer.
    pub expect: Expect,
}

/// A question with holes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ask {
    /// An instant query of Prometheus.
    Promql {
        /// The query.
        query: Template,
    },
    /// How many lines a service logged.
    Log {
        /// The service.
        service: Template,
        /// This level or a worse one.
        level: Option<String>,
        /// A text that is part of the message.
        text: Option<Template>,
        /// How far to look back.
        within: Duration,
    },
    /// A GET of a service's admin port.
    Http {
        /// The service.
        service: Template,
        /// One replica; all, if none is named, and the worst answer counts.
        instance: Option<Template>,
        /// One of [`PATHS`].
        path: String,
    },
    /// A named query.
    Sql {
        /// The query.
        query: &'static Query,
        /// The database.
        database: Template,
        /// Its values, by name.
        with: BTreeMap<String, Template>,
    },
}

/// What a runbook may read of an admin port.
pub const PATHS: [&str; 4] = ["/livez", "/readyz", "/protections", "/version"];

/// A look that is repeated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wait {
    /// At what.
    pub look: Look,
    /// For how long it has to be so without a break.
    pub hold: Duration,
    /// The latest time for that, from the begin of the step. Machines take this long on any clock, so it is never
    /// scaled.
    pub within: Duration,
}

/// A change of the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Act {
    /// What is done.
    pub verb: Verb,
    /// Its fields.
    pub with: BTreeMap<String, Template>,
    /// How far it may reach.
    pub blast_radius: BlastRadius,
    /// An act with the same key is done once, even by several runs.
    pub idempotency_key: Template,
    /// What takes it back.
    pub undo: Undo,
}

/// What takes an act back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Undo {
    /// Another act, with the same blast radius.
    Act {
        /// What is done.
        verb: Verb,
        /// Its fields.
        with: BTreeMap<String, Template>,
    },
    /// Nothing does.
    Nothing {
        /// Why, and why that is acceptable.
        why: String,
    },
}

impl Task {
    /// The word for it in the file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Look { look, .. } => match look.ask {
                Ask::Promql { .. } | Ask::Log { .. } => "check",
                Ask::Http { .. } => "http",
                Ask::Sql { .. } => "sql",
            },
            Self::Decide { .. } => "decide",
            Self::Act(_) => "act",
            Self::WaitUntil(_) => "wait_until",
            Self::Approve { .. } => "approve",
            Self::Verify(_) => "verify",
            Self::Undo { .. } => "undo",
        }
    }
}
