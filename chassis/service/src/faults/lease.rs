//! The rest of a plan, in a file that outlives the process: read once, and void after the end of the plan.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

/// The plan in a file, as `crash-loop` and `memory-leak` write it.
pub(super) struct Lease {
    plan: Value,
    /// Until the plan ends, in milliseconds.
    pub(super) ttl: u64,
    /// Its strength, 0 to 1.
    pub(super) rate: f64,
}

impl Lease {
    /// Removes the file, and returns what it says; `None` if there is none, if it is over, or if it cannot be read.
    pub(super) fn take(file: &Path, now: Duration) -> Option<Self> {
        let text = fs::read_to_string(file).ok();
        let _ = fs::remove_file(file);
        let plan: Value = serde_json::from_str(&text?).ok()?;
        let until = Duration::from_millis(plan["lease_until_ms"].as_u64()?);
        let (ttl, rate) = (millis(until.checked_sub(now)?), plan["share"].as_f64()?);
        Some(Self { plan, ttl, rate })
    }

    /// A number of the plan.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.plan[name].as_u64()
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Time since 1970: the only clock that a new process shares with the one before.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
