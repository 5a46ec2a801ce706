//! The broker faults at their boundary: what happens to messages on their way out and in.

pub(super) mod consume;
pub(super) mod publish;
mod recent;
mod traffic;
