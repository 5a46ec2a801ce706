//! A lab's configuration against a written baseline: what must hold, what does, who let which exception through until when.
//!
//! * [`facts`] -- what was found: sockets, file modes, open switches, versions, manifests. Gathered by others; no I/O here.
//! * [`rules`] -- what a baseline consists of; `read` -- how people write it, `deploy/baseline.yaml`.
//! * [`checks`] -- the checks: a table, and a function for each.
//! * [`report`] -- findings, waivers, score.
//! * [`network`] -- which connections the network policies of manifests let through.
//! * [`readiness`] -- the checklist of a production readiness review.

pub mod checks;
pub mod facts;
pub mod network;
mod read;
pub mod readiness;
pub mod report;
pub mod rules;

pub use facts::Facts;
pub use report::{Report, audit};
pub use rules::Baseline;
