//! The library through its public API: the committed runbooks, wrong ones, runs that are killed, storms of alerts.

mod audit;
mod book;
mod committed;
mod crash;
mod decide;
mod drain;
mod engine;
mod rails;
mod rails_file;
mod read;
mod steps;
mod storm;
mod support;
mod together;
mod toil;
