//! The notifier as a whole: the assembled service on the Kafka protocol, and SQS as MiniStack has it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod notifications;
mod process;
mod rig;
mod sweep;

testkit::broker!();
