//! The library through its public API: the committed runbooks, wrong ones, runs that are killed, storms of alerts.

mod audit;
mod committed;
mod crash;
mod decide;
mod drain;
mod engine;
mod rails;
mod rails_file;
mod read;
mod storm;
mod support;
mod toil;
