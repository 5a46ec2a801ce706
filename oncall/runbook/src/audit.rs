//! The audit log: who did what, in a chain of hashes. A changed, removed, added or moved entry breaks the chain.
//!
//! A person who can rewrite all of it can also recompute all hashes, and nobody sees that the end was cut off. So keep the
//! [`Head`] somewhere else now and then (a timeline, a log on another machine), and pass it to [`verify`].

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the first entry follows.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry. Exported as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counted from 1, without a gap.
    pub seq: u64,
    /// When; whole microseconds, because databases keep no more.
    pub at: DateTime<Utc>,
    /// Who: a person, an agent, `automation`.
    pub by: String,
    /// What: a name such as `run.started`, `act.done`, `automation.off`.
    pub action: String,
    /// The details, as text: usually JSON. Hashed as it is, so store it as it is.
    pub data: String,
    /// Hash of the entry before.
    pub previous: String,
    /// SHA-256 of all fields above, in hex.
    pub hash: String,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of its last entry; 0, if it is empty.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

/// Where and how a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct Broken {
    /// Number of the entry, or of the line in an export.
    pub seq: u64,
    /// What is wrong, and what it means.
    pub what: String,
}

impl Entry {
    /// The entry after `head`.
    #[must_use]
    pub fn after(head: &Head, at: DateTime<Utc>, by: &str, action: &str, data: String) -> Self {
        let at = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
        let (by, action) = (by.to_owned(), action.to_owned());
        let mut entry = Self {
            seq: head.seq + 1,
            at,
            by,
            action,
            data,
            previous: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.compute();
        entry
    }

    /// The end of a chain that ends with it.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    /// Each field with its length: no two different entries give the same text.
    fn compute(&self) -> String {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let seq = self.seq.to_string();
        let mut text = String::new();
        for field in [&self.previous, &seq, &at, &self.by, &self.action, &self.data] {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}:{field};", field.len());
        }
        hex::encode(Sha256::digest(text))
    }
}

/// Checks a chain from its first entry. With a `known` head, the chain has to contain it: what was once written is
/// still there.
///
/// # Errors
/// The first break.
pub fn verify<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    known: Option<&Head>,
) -> Result<Head, Broken> {
    let mut head = Head::default();
    let mut seen = known.is_none_or(|known| *known == head);
    for entry in entries {
        let broken = |what: String| Broken { seq: entry.seq, what };
        if entry.seq != head.seq + 1 {
            let what = format!("expected number {}: entries were removed, added or moved", head.seq + 1);
            return Err(broken(what));
        }
        if entry.previous != head.hash {
            return Err(broken(
                "it does not follow the entry before: that one was changed or replaced".to_owned(),
            ));
        }
        if entry.hash != entry.compute() {
            return Err(broken("its hash is not that of its fields: it was changed".to_owned()));
        }
        head = entry.head();
        seen |= known == Some(&head);
    }
    match known {
        Some(known) if !seen => {
            let what = if head.seq < known.seq {
                format!("the chain ends at {}: entries were cut off", head.seq)
            } else {
                format!("it should have the hash {}: the chain was rewritten", known.hash)
            };
            Err(Broken { seq: known.seq, what })
        }
        _ => Ok(head),
    }
}

/// The chain as lines of JSON.
#[must_use]
pub fn export<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> String {
    let mut text = String::new();
    for entry in entries {
        // Cannot fail: strings, a number and a time.
        text.push_str(&serde_json::to_string(entry).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Checks an export.
///
/// # Errors
/// The first line that is no entry, or the first break.
pub fn verify_export(text: &str, known: Option<&Head>) -> Result<Head, Broken> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let entry = serde_json::from_str::<Entry>(line);
        let seq = index as u64 + 1;
        entries.push(entry.map_err(|error| Broken { seq, what: format!("not an entry: {error}") })?);
    }
    verify(&entries, known)
}
