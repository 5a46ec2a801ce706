//! What should run, as files of a repository: `desired.yaml` and, beside it, `waf/<rule>.yaml`.
//!
//! [`read()`] takes the files and names every mistake with its line; [`Desired::settings`] is the same as a flat list, which
//! is what differences ([`diff()`]) and the reconciler ([`reconcile()`]) work on.

mod diff;
mod model;
mod read;
mod reconcile;
mod setting;
mod write;

pub use self::{
    diff::{Difference, diff},
    model::{Canary, Desired, Drift, Limit, Mode, Service},
    read::{FILE, RULES, Tree, read, schema},
    reconcile::{Act, Applied, Cause, Decision, Failure, Health, Input, Open, reconcile},
    setting::{Seen, Setting, Settings},
};
