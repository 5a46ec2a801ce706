//! A version of an object, and what a write expects of the one before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Code, S3Error};

/// What is known of an object besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Its name in the bucket.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// MD5 in hex, or that of the parts' and their number; without quotes.
    pub etag: String,
    /// When it was stored.
    pub modified: DateTime<Utc>,
    /// Whether it says that the object was deleted.
    pub marker: bool,
    /// Headers that come back with it: the content's type and the like, and `x-amz-meta-…`.
    pub headers: BTreeMap<String, String>,
}

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is known of it.
    pub meta: Meta,
    /// Its place in the order of all writes.
    pub sequence: u64,
    /// Whether the bucket kept versions when it was written.
    pub versioned: bool,
}

impl Record {
    /// The version as clients name it.
    #[must_use]
    pub fn version(&self) -> String {
        if self.versioned { format!("{:016x}", self.sequence) } else { "null".to_owned() }
    }

    pub(super) fn file_name(&self) -> String {
        format!("{:016x}.{}", self.sequence, if self.versioned { "v" } else { "n" })
    }
}

/// What must hold of the current version for a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Its `ETag`, without quotes; `*` is any.
    pub matches: Option<String>,
    /// It does not exist.
    pub absent: bool,
}

impl Expect {
    pub(super) fn check(&self, current: Option<&Record>) -> Result<(), S3Error> {
        let failed = |condition: &str| {
            let message =
                format!("At least one of the pre-conditions you specified did not hold: {condition}");
            S3Error::new(Code::PreconditionFailed, message)
        };
        if self.absent && current.is_some() {
            return Err(failed("If-None-Match"));
        }
        match (&self.matches, current) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(S3Error::no_key()),
            (Some(wanted), Some(current)) if wanted == "*" || *wanted == current.meta.etag => Ok(()),
            (Some(_), Some(_)) => Err(failed("If-Match")),
        }
    }
}
