//! Slow, stalled, hostile and foreign clients against a real port.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod crowds;
mod foreign;
mod slow;
mod support;
