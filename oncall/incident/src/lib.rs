//! Incidents: what happened, in which order, to whom, and what to learn from it. Events in, state out.
//!
//! Read it in this order: [`state`] (the life cycle), [`event`] (everything that can happen), [`mod@incident`] (what
//! the events add up to), [`timeline`] (what people read), [`alerts`] (what arrives from other systems),
//! [`correlate`] (which incident an alert joins), [`watchdog`] (monitoring that fell silent), [`measures`],
//! [`statistics`] and [`postmortem`].
//!
//! An incident is the result of its events: replay them, and you get the same incident. A store keeps events, applies
//! each before it keeps it, and never keeps one that is refused. Does no I/O and reads no clock. Nothing that is
//! sealed is part of what an [`Incident`] serializes to before it is closed.

pub mod alerts;
pub mod correlate;
pub mod event;
mod id;
pub mod incident;
pub mod measures;
pub mod postmortem;
mod severity;
pub mod state;
pub mod statistics;
pub mod timeline;
pub mod watchdog;
mod work;

pub use event::{Event, What};
pub use id::Id;
pub use incident::{Incident, Refused};
pub use measures::Measures;
pub use severity::Severity;
pub use state::State;
pub use timeline::{Entry, EntryKind, Evidence, Source, Viewer};
pub use work::{Finding, Hypothesis, Impact, Link, Role, Task, Truth, Verdict};
