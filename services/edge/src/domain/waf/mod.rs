//! The firewall: rules that look for the marks of attacks in a request.
//!
//! A rule is data (`waf/<id>.yaml`): what it looks at, a pattern, whether it blocks or only counts, on which
//! engine it runs, what it may cost, and cases with the verdict that each has to get. The engine `linear`
//! looks up each byte of a text in a table. The engine `backtracking` tries one way after another, as PCRE
//! does, and can need more steps than anyone has time for; so work is counted in steps, and with the guard
//! on, a rule is ended at its cost.

use std::time::Duration;

mod cases;
#[cfg(test)]
mod fuzz;
mod machine;
mod program;
mod read;
mod rule;
mod set;
mod table;
mod target;

pub use cases::check;
pub use machine::Machine;
pub use read::read;
pub use rule::{Case, Engine, Mode, OnOverrun, Rule};
pub use set::{Bounds, Judgement, Note, RuleSet, Verdict, Watch, What};
pub use target::{Asked, Target};

/// Most steps of a rule for one request, unless its file says otherwise. A linear rule takes a step for each
/// byte.
pub const COST: u64 = 100_000;
/// Most processor time of all rules for one request. A million steps take a few milliseconds; this holds where a
/// step is slower than it should be.
pub const TIME: Duration = Duration::from_millis(50);
