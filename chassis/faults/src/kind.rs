//! A parameter of a fault, as data: its name, and how it is read.

use std::time::Duration;

/// How a parameter of a fault is read, with its bounds (inclusive).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// A number from 0 to 1.
    Ratio,
    /// A duration such as `250ms`.
    Duration {
        /// Shortest duration allowed.
        min: Duration,
        /// Longest duration allowed.
        max: Duration,
    },
    /// A whole number.
    Count {
        /// Smallest number allowed.
        min: u64,
        /// Largest number allowed.
        max: u64,
    },
    /// A size such as `64MiB`.
    Bytes {
        /// Smallest size allowed, in bytes.
        min: u64,
        /// Largest size allowed, in bytes.
        max: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One parameter, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamSpec {
    /// Name in the query string.
    pub name: &'static str,
    /// What it means.
    pub summary: &'static str,
    /// How it is read.
    pub kind: ParamKind,
    /// Its value when absent, in the form a person would type.
    pub default: &'static str,
}
