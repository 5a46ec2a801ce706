//! The pages of the assembled program, as a browser without scripts sees them.

mod automation;
mod documents;
mod drills;
mod incidents;
mod papers;
mod support;
