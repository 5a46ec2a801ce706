//! The library through its public API, on the specs of the checkout and on wrong ones, with the real promtool.

mod generated;
mod live;
mod past;
mod read;
mod reports;
mod restart;
mod simulation;
mod support;
mod wrong;
