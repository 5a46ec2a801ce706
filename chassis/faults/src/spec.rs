//! What a fault point is, as data: a row of a catalogue, of `GET /faults` and of `docs/faults.md`.

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

/// What a fault acts on, which decides the common parameters that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Units of work (requests, messages, calls): `rate` is the share that is hit; `route`, the subject and
    /// `seed` select which.
    Work,
    /// The whole process or one of its resources: `rate` is the share of the fault's full strength.
    Process,
}

/// A fault point.
#[derive(Debug, Clone, Copy)]
pub struct FaultSpec {
    /// Kebab-case name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What it acts on.
    pub reach: Reach,
    /// Parameters beyond the common ones.
    pub params: &'static [ParamSpec],
    /// What changes in metrics, logs and traces.
    pub signals: &'static str,
    /// How to end it beyond `DELETE` and expiry, and what remains afterwards (normally nothing).
    pub ends: &'static str,
    /// A plan that is in force from start-up until it is deleted, as a query string.
    pub baseline: Option<&'static str>,
}

/// The text of `ends` for most faults.
pub const NOTHING: &str = "Nothing stays behind.";
/// A millisecond.
pub const MS: Duration = Duration::from_millis(1);
/// 1024 bytes.
pub const KIB: u64 = 1 << 10;
/// 1024 KiB in bytes.
pub const MIB: u64 = 1 << 20;
/// Longest duration that most parameters allow.
pub const MINUTE: Duration = Duration::from_secs(60);

/// A parameter that is a duration.
#[must_use]
pub const fn duration(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: Duration,
    max: Duration,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Duration { min, max }, default }
}

/// A parameter that is a whole number.
#[must_use]
pub const fn count(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: u64,
    max: u64,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Count { min, max }, default }
}

/// A parameter that is a size in bytes.
#[must_use]
pub const fn bytes(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    min: u64,
    max: u64,
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Bytes { min, max }, default }
}

/// A parameter that is one of a few words.
#[must_use]
pub const fn word(
    name: &'static str,
    summary: &'static str,
    default: &'static str,
    words: &'static [&'static str],
) -> ParamSpec {
    ParamSpec { name, summary, kind: ParamKind::Word(words), default }
}

/// A fault that hits units of work.
#[must_use]
pub const fn work(
    name: &'static str,
    summary: &'static str,
    params: &'static [ParamSpec],
    signals: &'static str,
) -> FaultSpec {
    FaultSpec { name, summary, reach: Reach::Work, params, signals, ends: NOTHING, baseline: None }
}

/// A fault that hits the process or one of its resources.
#[must_use]
pub const fn process(
    name: &'static str,
    summary: &'static str,
    params: &'static [ParamSpec],
    signals: &'static str,
) -> FaultSpec {
    FaultSpec { name, summary, reach: Reach::Process, params, signals, ends: NOTHING, baseline: None }
}
