//! Drills: what is broken, what will be seen of it, why and when, and what a good response is. Files and events in;
//! actions, questions to the telemetry, a verdict, a score and reports out.
//!
//! Read it in this order: [`model`] (what a drill is), [`mod@read`] (its file, with errors that name file, line and
//! field), [`world`] (whether everything that it names exists), [`engine`] (the machine that runs one), [`score`] and
//! [`report`].
//!
//! Does no I/O and reads no clock. A program does what [`Run::due`] says, asks what [`Run::looks`] says, and feeds back
//! what happened as [`Event`]s. A run is the result of its events: replay them after a crash, and it continues, or goes
//! back to a clean system.

pub mod act;
pub mod engine;
pub mod model;
pub mod names;
pub mod read;
pub mod report;
pub mod schema;
pub mod score;
mod shape;
pub mod world;

pub use act::Act;
pub use engine::{Action, Ask, Due, Event, Look, Mode, Outcome, Phase, Run, Verdict, What};
pub use model::Drill;
pub use read::read;
pub use schema::schema;
pub use score::Scorecard;
pub use world::World;
pub use yaml::{Problem, Problems};
