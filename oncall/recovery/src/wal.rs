//! Places in PostgreSQL's write-ahead log (WAL), and the segments that it is kept in.
//!
//! A segment is a file of fixed size; its name is the timeline and the number, in hexadecimal digits (PostgreSQL's
//! `xlog_internal.h`). A server that was restored writes a new timeline, so that its WAL never overwrites that of the time
//! before.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A place in the WAL: bytes since its beginning. Written as `0/3000028`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let half = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u64::from);
        let halves = text.split_once('/').and_then(|(high, low)| Some((half(high)?, half(low)?)));
        let (high, low) =
            halves.ok_or_else(|| format!("expected a place in the WAL such as 0/3000028, found `{text}`"))?;
        Ok(Self(high << 32 | low))
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// One file of the WAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    /// The timeline: 1 for a new server, one more after each restore.
    pub timeline: u32,
    /// Its number, counted from 0 at the beginning of the WAL.
    pub number: u64,
}

impl Segment {
    /// The segment with the byte at `lsn`; `size` is that of a segment in bytes.
    #[must_use]
    pub fn at(timeline: u32, lsn: Lsn, size: u64) -> Self {
        Self { timeline, number: lsn.0 / size.max(1) }
    }

    /// The segment with the last byte before `lsn`: the one in which a backup that stops there ends.
    #[must_use]
    pub fn before(timeline: u32, lsn: Lsn, size: u64) -> Self {
        Self::at(timeline, Lsn(lsn.0.saturating_sub(1)), size)
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { timeline: self.timeline, number: self.number + 1 }
    }

    /// Its file name: 24 hexadecimal digits.
    #[must_use]
    pub fn name(self, size: u64) -> String {
        let per_log = per_log(size);
        format!("{:08X}{:08X}{:08X}", self.timeline, self.number / per_log, self.number % per_log)
    }

    /// The segment with this file name; `None` if the name is not one of a segment of that size.
    #[must_use]
    pub fn named(name: &str, size: u64) -> Option<Self> {
        if name.len() != 24
            || !name.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
        {
            return None;
        }
        let part = |at: usize| u32::from_str_radix(name.get(at..at + 8)?, 16).ok();
        let (timeline, log, low) = (part(0)?, u64::from(part(8)?), u64::from(part(16)?));
        let per_log = per_log(size);
        (low < per_log).then_some(Self { timeline, number: log * per_log + low })
    }
}

/// Segments of this size in 4 GiB of WAL, which the middle of a name counts.
fn per_log(size: u64) -> u64 {
    (0x1_0000_0000 / size.max(1)).max(1)
}

/// Whether this is the name of a file with the history of a timeline, such as `00000002.history`.
#[must_use]
pub fn is_history(name: &str) -> bool {
    name.strip_suffix(".history")
        .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
