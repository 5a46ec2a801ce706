//! Times as the file has them: microseconds since 1970, UTC.

use chrono::{DateTime, Utc};

/// For the file.
#[must_use]
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// From the file. What no calendar has is 1970.
#[must_use]
pub fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
