//! Releases: what runs, what should run, and whether the new version may.
//!
//! * [`judge`] -- compares a canary with a fresh baseline of the old version, request by request. "No data" is never a pass.
//! * [`invariants`] -- what must hold of everything that a service does, and who checks it.
//! * [`measure`] -- what the judge takes, from two scrapes of an instance.
//! * [`noise`] -- what two instances of one version did beside each other, as a text to keep and to simulate with.
//! * [`look`] -- what to ask Prometheus for that, and what happened between two looks.
//! * [`run`] -- a release as a state machine: commits, steps, verdicts, the way back, by events that survive a crash.
//! * [`drive`] -- what moves a release by one event, whatever it changes: a lab on one machine, or a cluster.
//! * [`view`] -- a release as people and programs see it.
//! * [`curves`] -- what canary and baseline did over time.
//! * [`desired`] -- what should run, as files; differences; what to do so that it runs.
//! * [`fleet`] -- the same on one machine: which version each service runs, its canary and baseline.
//! * [`freeze`] -- may a release begin, while a budget is spent?
//! * [`gate`] -- may a commit that a person wrote be what should run?
//! * [`dora`] -- the four figures of delivery. [`cause`] -- which release an incident came from.
//!
//! Does no I/O and reads no clock: callers read files, pass the time, ask the telemetry and do the acts.

pub mod cause;
pub mod curves;
pub mod desired;
pub mod dora;
pub mod drive;
pub mod fleet;
pub mod freeze;
pub mod gate;
pub mod invariants;
pub mod judge;
pub mod look;
pub mod measure;
pub mod noise;
pub mod run;
pub mod view;

pub use desired::Desired;
pub use judge::{Block, Judge, Opinion, Policy, Verdict};
pub use run::{Plan, Run};
