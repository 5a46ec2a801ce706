//! The process boundaries of the notifier.

mod sqs;

pub use sqs::{BATCH, Received, SqsError, SqsQueues};
