//! Buckets: their names, whether they keep versions, when their objects end.

use std::{fs, io};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Bucket, Store, file};
use crate::error::{Code, S3Error};

/// Whether a bucket keeps versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Versioning {
    /// It never did.
    #[default]
    Never,
    /// Every write is a new version; a delete hides what was there.
    Enabled,
    /// It did; those versions stay, new writes replace the one called `null`.
    Suspended,
}

/// A rule of a lifecycle: when objects whose key begins with `prefix` end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// How the keys begin.
    pub prefix: String,
    /// Days until a current version is deleted.
    pub days: Option<u32>,
    /// Days until a version that was replaced is removed.
    pub noncurrent_days: Option<u32>,
    /// Days until an upload that was not completed is aborted.
    pub abort_days: Option<u32>,
}

/// What is known of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// When it was created.
    pub created: DateTime<Utc>,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// When its objects end.
    pub lifecycle: Vec<Rule>,
}

impl Store {
    /// All buckets by name, and when they were created.
    #[must_use]
    pub fn buckets(&self) -> Vec<(String, DateTime<Utc>)> {
        let index = self.index.lock();
        index.buckets.iter().map(|(name, bucket)| (name.clone(), bucket.settings.created)).collect()
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// When the name is not one, the bucket exists, or the disk refuses.
    pub fn create_bucket(&self, name: &str) -> Result<(), S3Error> {
        if !is_name(name) {
            return Err(S3Error::new(Code::InvalidBucketName, "The specified bucket is not valid."));
        }
        let mut index = self.index.lock();
        if index.buckets.contains_key(name) {
            let message =
                "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(S3Error::new(Code::BucketAlreadyOwnedByYou, message));
        }
        let settings = Settings { created: Utc::now(), ..Settings::default() };
        self.save(name, &settings)?;
        index.buckets.insert(name.to_owned(), Bucket { settings, ..Bucket::default() });
        Ok(())
    }

    /// Creates a bucket unless it exists.
    ///
    /// # Errors
    /// As [`Store::create_bucket`].
    pub fn ensure_bucket(&self, name: &str) -> Result<(), S3Error> {
        match self.create_bucket(name) {
            Err(error) if error.code == Code::BucketAlreadyOwnedByYou => Ok(()),
            other => other,
        }
    }

    /// Removes a bucket that has no versions and no markers left.
    ///
    /// # Errors
    /// When there is no such bucket, it is not empty, or the disk refuses.
    pub fn delete_bucket(&self, name: &str) -> Result<(), S3Error> {
        let mut index = self.index.lock();
        if !index.bucket(name)?.keys.is_empty() {
            let message = "The bucket you tried to delete is not empty.";
            return Err(S3Error::new(Code::BucketNotEmpty, message));
        }
        let folder = self.folder(name);
        // First what makes it a bucket: one that is half removed is none at the next start.
        file::remove(&folder.join("settings.json"))?;
        index.buckets.remove(name);
        Ok(fs::remove_dir_all(&folder)?)
    }

    /// What is known of a bucket.
    ///
    /// # Errors
    /// When there is no such bucket.
    pub fn settings(&self, bucket: &str) -> Result<Settings, S3Error> {
        Ok(self.index.lock().bucket(bucket)?.settings.clone())
    }

    /// Changes what is known of a bucket.
    ///
    /// # Errors
    /// When there is no such bucket, or the disk refuses.
    pub fn configure(&self, bucket: &str, change: impl FnOnce(&mut Settings)) -> Result<(), S3Error> {
        let mut index = self.index.lock();
        let known = index.bucket_mut(bucket)?;
        let mut settings = known.settings.clone();
        change(&mut settings);
        self.save(bucket, &settings)?;
        known.settings = settings;
        Ok(())
    }

    fn save(&self, bucket: &str, settings: &Settings) -> io::Result<()> {
        file::replace(self.temp(), &self.folder(bucket).join("settings.json"), settings)
    }
}

/// 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends, and no two dots in a row. So it is
/// always the name of one folder.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&byte| plain(byte) || byte == b'.' || byte == b'-')
        && plain(bytes[0])
        && plain(bytes[bytes.len() - 1])
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_bucket_has_a_name_that_is_safe_as_a_folder() {
        for name in ["backups", "tf.state-1", "abc"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "ab", "..", "../etc", "a/b", "Upper", "-a-b", "a..b", "a_b", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
