//! What one backup consists of: written last, so that a backup without a manifest is one that did not end.
//!
//! It has no secret and is not encrypted: you must be able to see which key a backup needs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::wal::{Lsn, Segment};

/// The only version of the format so far.
pub const VERSION: u32 = 1;

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Its name: the time at which it began, such as `20260301T101500Z`.
    pub id: String,
    /// The instance that it was taken from, as a person names it.
    pub instance: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended: the earliest moment that it can restore.
    pub ended: DateTime<Utc>,
    /// The timeline of the server.
    pub timeline: u32,
    /// Where the WAL that it needs begins.
    pub start: Lsn,
    /// Where the WAL that it needs ends; all of it up to here is part of the backup.
    pub stop: Lsn,
    /// Size of a WAL segment in bytes: a power of two.
    pub segment_bytes: u64,
    /// The server's version, such as `15.18`: another major version cannot read the files.
    pub server: String,
    /// Id of the key that its files and its WAL are encrypted with.
    pub key: String,
    /// Its files.
    pub files: Vec<File>,
}

/// One file of a backup, as it is stored: compressed and encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name within the backup.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Size of its content in bytes before it was compressed and encrypted.
    pub content_bytes: u64,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A sentence: it is not JSON of this format, is of a later version, or contradicts itself.
    pub fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Only {
            version: u32,
        }
        let only: Only = serde_json::from_str(text).map_err(|error| format!("no manifest: {error}"))?;
        if only.version != VERSION {
            return Err(format!(
                "it is of version {}, and this program reads version {VERSION}: use the program that wrote it",
                only.version
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| format!("no manifest: {error}"))?;
        manifest.contradiction().map_or(Ok(manifest.clone()), Err)
    }

    /// As text.
    ///
    /// # Errors
    /// Never for a manifest that this program made; the type of serde's writer.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    fn contradiction(&self) -> Option<String> {
        let plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let size = self.segment_bytes;
        if !size.is_power_of_two() || !(1 << 20..=1 << 30).contains(&size) {
            return Some(format!("{size} is not the size of a WAL segment (1 MiB to 1 GiB, a power of two)"));
        }
        if self.stop < self.start {
            return Some(format!("it stops at {} before it starts at {}", self.stop, self.start));
        }
        if self.ended < self.began {
            return Some(format!("it ended at {} before it began at {}", self.ended, self.began));
        }
        // Names become paths: none may lead out of the backup's folder.
        let mut names = std::iter::once(&self.id).chain(self.files.iter().map(|file| &file.name));
        names.find(|name| !plain(name)).map(|name| format!("`{name}` is not a plain name"))
    }

    /// The last segment of WAL that is part of the backup.
    #[must_use]
    pub fn last_segment(&self) -> Segment {
        Segment::before(self.timeline, self.stop, self.segment_bytes)
    }

    /// A file by name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Size of all its files in bytes, as they are stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
