//! The library through its public API: opinions about simulated traffic, whole releases, desired state.

mod bursts;
mod crash;
mod desired;
mod dora;
mod fleet;
mod judge;
mod machine;
mod reconcile;
mod simulation;
mod support;
mod world;
