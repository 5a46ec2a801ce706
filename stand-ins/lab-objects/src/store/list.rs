//! What a bucket has, in the order of the keys, a page at a time.

use std::ops::Bound;

use super::{Bucket, Record, Store};
use crate::error::S3Error;

/// What a listing asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// How the keys begin.
    pub prefix: String,
    /// Keys that have this after the prefix are listed once, as what they have in common up to it; empty for none.
    pub delimiter: String,
    /// Only what follows this key or common prefix.
    pub after: String,
    /// How many keys and common prefixes at most.
    pub limit: usize,
}

/// One page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The current versions.
    pub records: Vec<Record>,
    /// What keys have in common up to the delimiter.
    pub prefixes: Vec<String>,
    /// What the next page follows; `None` on the last page.
    pub next: Option<String>,
}

impl Store {
    /// The objects of a bucket.
    ///
    /// # Errors
    /// When there is no such bucket.
    pub fn list(&self, bucket: &str, asked: &Asked) -> Result<Listed, S3Error> {
        Ok(page(self.index.lock().bucket(bucket)?, asked))
    }

    /// All versions and markers of the keys that begin with `prefix`, newest first for each key, `limit` at most, and whether
    /// each is the latest; those that follow `after`, a key and perhaps a version. Also whether there are more.
    ///
    /// # Errors
    /// When there is no such bucket.
    pub fn versions(
        &self,
        bucket: &str,
        prefix: &str,
        after: (&str, Option<&str>),
        limit: usize,
    ) -> Result<(Vec<(Record, bool)>, bool), S3Error> {
        let index = self.index.lock();
        let keys = index.bucket(bucket)?.keys.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let mut all = keys
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| key.as_str() >= after.0)
            .flat_map(|(key, versions)| {
                let newest_first = versions.iter().rev().enumerate();
                let all = newest_first.map(move |(age, record)| (record, age == 0));
                let skipped = match after {
                    (marker, None) if marker == key => versions.len(),
                    (marker, Some(version)) if marker == key => {
                        let place = versions.iter().rev().position(|record| record.version() == version);
                        place.map_or(0, |place| place + 1)
                    }
                    _ => 0,
                };
                all.skip(skipped)
            });
        let page = all.by_ref().take(limit).map(|(record, latest)| (record.clone(), latest)).collect();
        Ok((page, limit > 0 && all.next().is_some()))
    }
}

fn page(bucket: &Bucket, asked: &Asked) -> Listed {
    let mut listed = Listed::default();
    let from = if asked.after > asked.prefix { &asked.after } else { &asked.prefix };
    let keys = bucket.keys.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded));
    let mut last = String::new();
    for (key, _) in keys.take_while(|(key, _)| key.starts_with(&asked.prefix)) {
        let Some(record) = bucket.current(key).filter(|_| *key > asked.after) else { continue };
        let common = common_prefix(key, asked);
        let name = common.unwrap_or(key);
        let seen = common.is_some() && (name == last || name == asked.after);
        if seen {
            continue;
        }
        if listed.records.len() + listed.prefixes.len() >= asked.limit {
            listed.next = (asked.limit > 0).then_some(last);
            return listed;
        }
        match common {
            Some(common) => listed.prefixes.push(common.to_owned()),
            None => listed.records.push(record.clone()),
        }
        name.clone_into(&mut last);
    }
    listed
}

/// What `key` has in common with others up to the delimiter after the prefix.
fn common_prefix<'a>(key: &'a str, asked: &Asked) -> Option<&'a str> {
    if asked.delimiter.is_empty() {
        return None;
    }
    let at = key[asked.prefix.len()..].find(&asked.delimiter)?;
    Some(&key[..asked.prefix.len() + at + asked.delimiter.len()])
}
