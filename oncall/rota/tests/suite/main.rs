//! The library through its public API: the committed `oncall.yaml`, wrong ones, and any that a generator thinks of.

mod any_file;
mod calendar;
mod committed;
mod escalation;
mod every_zone;
mod extra;
mod read;
mod support;
