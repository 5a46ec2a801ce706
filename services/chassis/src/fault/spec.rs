//! What a fault point is, as data: a row of the catalogue, of `GET /faults` and of `docs/faults.md`.

use std::time::Duration;

/// How a parameter of a fault is read, with its bounds (inclusive).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// A number from 0 to 1.
    Ratio,
    /// A duration such as `250ms`.
    Duration {
        /// Shortest that is taken.
        min: Duration,
        /// Longest that is taken.
        max: Duration,
    },
    /// A whole number.
    Count {
        /// Smallest that is taken.
        min: u64,
        /// Largest that is taken.
        max: u64,
    },
    /// A size such as `64MiB`.
    Bytes {
        /// Smallest that is taken, in bytes.
        min: u64,
        /// Largest that is taken, in bytes.
        max: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One parameter beyond the common ones.
#[derive(Debug, Clone, Copy)]
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

/// What a fault acts on, and so which common parameters make sense for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Units of work (requests, messages, calls): `rate` is the share that is hit; `route`, `user_id`, `user_tier` and
    /// `seed` choose which.
    Work,
    /// The whole process or one of its resources: `rate` is the share of the fault's full strength.
    Process,
}

/// A fault point.
#[derive(Debug, Clone, Copy)]
pub struct FaultSpec {
    /// Kebab-case name.
    pub name: &'static str,
    /// What it really does.
    pub summary: &'static str,
    /// What it acts on.
    pub reach: Reach,
    /// Parameters beyond the common ones.
    pub params: &'static [ParamSpec],
    /// What moves in metrics, logs and traces.
    pub signals: &'static str,
    /// How to end it beyond `DELETE` and expiry, and what stays behind (normally nothing).
    pub ends: &'static str,
    /// A plan that is in force from the start until it is deleted, as a query string (only `/risky` has one).
    pub baseline: Option<&'static str>,
}
