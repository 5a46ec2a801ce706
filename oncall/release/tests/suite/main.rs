//! The library through its public API: opinions about simulated traffic, whole releases, desired state.

mod bursts;
mod cause;
mod crash;
mod desired;
mod dora;
mod fleet;
mod judge;
mod left;
mod machine;
mod reconcile;
mod recorded;
mod sequences;
mod simulation;
mod support;
mod totals;
mod world;
