//! The process boundaries of the notifier.

mod sqs;

pub use sqs::{Received, SqsError, SqsQueues};
