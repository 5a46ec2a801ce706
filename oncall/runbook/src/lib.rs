//! Runbooks that run: `runbooks/<Alert>.yaml` in, the next thing to do out.
//!
//! Read it in this order: [`model`] (what a runbook says), [`mod@read`] (the files, with errors that name file, line
//! and field), [`verb`] and [`query`] (everything that a runbook may do and ask), [`plan`] (a runbook with its
//! values), [`dry`] (what it would do now), [`run`] (the engine: events in, what is next out), [`guardrails`] (what
//! automation may do), [`audit`] (a log that shows when it was changed) and [`toil`] (what all this costs people).
//!
//! Does no I/O and reads no clock: callers read files, pass the time, ask the questions and do the acts. A run is the
//! result of its events: replay them after a crash, and what is next is the same.

pub mod answer;
pub mod audit;
mod class;
pub mod dry;
pub mod guardrails;
pub mod model;
pub mod parameter;
mod place;
pub mod plan;
pub mod query;
pub mod reach;
pub mod read;
pub mod run;
mod schema;
pub mod template;
pub mod toil;
pub mod verb;

pub use answer::Answer;
pub use guardrails::{Decision, Guardrails, Verdict};
pub use model::Runbook;
pub use place::Place;
pub use plan::{Call, Change, Given, Plan};
pub use read::{extra_rules as read_rules, guardrails as read_guardrails, runbook as read_runbook};
pub use run::{Event, Mode, Next, Run, What, Who};
pub use schema::{guardrails_schema, schema};
pub use verb::Verb;
pub use yaml::{Problem, Problems};
