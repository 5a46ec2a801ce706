//! Lifecycle rules, applied: what has ended is deleted as a client would delete it.
//!
//! Unlike S3, which waits for the next midnight, a rule strikes when its days have passed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Bucket, Expect, Record, Rule, Store, Versioning};
use crate::error::S3Error;

impl Store {
    /// Applies the rules of all buckets as of `now`, with days of this length; how many versions and uploads were removed
    /// or hidden.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn expire(&self, now: DateTime<Utc>, day: Duration) -> Result<usize, S3Error> {
        let mut removed = 0;
        for (name, _) in self.buckets() {
            let (current, old) = {
                let index = self.index.lock();
                let Ok(bucket) = index.bucket(&name) else { continue };
                (ended(bucket, now, day), replaced(bucket, now, day))
            };
            for record in current {
                // Only if it is still the same: it may have been replaced since.
                let expect = Expect { matches: Some(record.meta.etag), absent: false };
                removed += usize::from(self.delete(&name, &record.meta.key, None, &expect, now).is_ok());
            }
            for record in old {
                let version = record.version();
                let gone = self.delete(&name, &record.meta.key, Some(&version), &Expect::default(), now)?;
                removed += usize::from(gone.is_some());
            }
        }
        Ok(removed + self.expire_uploads(now, day)?)
    }

    fn expire_uploads(&self, now: DateTime<Utc>, day: Duration) -> Result<usize, S3Error> {
        let mut removed = 0;
        for (folder, upload) in self.all_uploads()? {
            let Ok(settings) = self.settings(&upload.bucket) else { continue };
            let over = |rule: &Rule| passed(rule.abort_days, upload.begun, now, day);
            if rules(&settings.lifecycle, &upload.key).any(over) {
                self.drop_upload(&folder)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn rules<'a>(rules: &'a [Rule], key: &'a str) -> impl Iterator<Item = &'a Rule> {
    rules.iter().filter(move |rule| rule.enabled && key.starts_with(&rule.prefix))
}

fn passed(days: Option<u32>, since: DateTime<Utc>, now: DateTime<Utc>, day: Duration) -> bool {
    let day = TimeDelta::from_std(day).unwrap_or(TimeDelta::days(1));
    let days = days.and_then(|days| i32::try_from(days).ok());
    days.is_some_and(|days| now - since >= day * days)
}

/// Current versions that have ended.
fn ended(bucket: &Bucket, now: DateTime<Utc>, day: Duration) -> Vec<Record> {
    let current = bucket.keys.keys().filter_map(|key| bucket.current(key));
    let over = |record: &&Record| {
        rules(&bucket.settings.lifecycle, &record.meta.key)
            .any(|rule| passed(rule.days, record.meta.modified, now, day))
    };
    current.filter(over).cloned().collect()
}

/// Versions that were replaced and have ended: their time begins when they were replaced. Also markers behind which nothing is
/// left, where a rule removes old versions.
fn replaced(bucket: &Bucket, now: DateTime<Utc>, day: Duration) -> Vec<Record> {
    if bucket.settings.versioning == Versioning::Never {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (key, versions) in &bucket.keys {
        let over = |since| {
            rules(&bucket.settings.lifecycle, key).any(|rule| passed(rule.noncurrent_days, since, now, day))
        };
        let pairs = versions.windows(2).filter(|pair| over(pair[1].meta.modified));
        found.extend(pairs.map(|pair| pair[0].clone()));
        if let [only] = versions.as_slice()
            && only.meta.marker
            && over(only.meta.modified)
        {
            found.push(only.clone());
        }
    }
    found
}
