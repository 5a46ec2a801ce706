//! Buckets and objects in a folder. No HTTP: the API decides what a call means, this decides what is kept.
//!
//! An object is one file: its bytes, then what is known of it (`file`). It appears by a rename after a sync, so that a process
//! that is killed leaves whole objects and nothing else. What a listing needs is in memory, read from the files at the start.

mod bucket;
mod expire;
mod file;
mod list;
mod open;
mod record;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use uuid::Uuid;

pub use bucket::{Rule, Settings, Versioning};
pub use file::Temp;
pub use list::{Asked, Listed};
pub use record::{Expect, Meta, Record};
pub use upload::{Claimed, Part};

use crate::error::{Code, S3Error};

/// Longest key in bytes.
const LONGEST_KEY: usize = 1024;

#[derive(Default)]
struct Bucket {
    settings: Settings,
    /// The versions of each key, oldest first; never empty.
    keys: BTreeMap<String, Vec<Record>>,
}

impl Bucket {
    /// The current version, unless it is a delete marker.
    fn current(&self, key: &str) -> Option<&Record> {
        self.keys.get(key)?.last().filter(|record| !record.meta.marker)
    }
}

#[derive(Default)]
struct Index {
    buckets: BTreeMap<String, Bucket>,
    /// The next place in the order of writes.
    next: u64,
    /// Bytes of objects and versions.
    bytes: u64,
    /// Bytes of parts of uploads.
    parts: u64,
}

impl Index {
    fn bucket(&self, name: &str) -> Result<&Bucket, S3Error> {
        self.buckets.get(name).ok_or_else(S3Error::no_bucket)
    }

    fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, S3Error> {
        self.buckets.get_mut(name).ok_or_else(S3Error::no_bucket)
    }
}

/// The store. All of its methods block on the disk.
pub struct Store {
    root: PathBuf,
    quota: u64,
    index: Mutex<Index>,
    /// Held while the process lives: two would each have an index of their own.
    _lock: fs::File,
}

impl Store {
    /// Bytes that may be kept.
    #[must_use]
    pub const fn quota(&self) -> u64 {
        self.quota
    }

    /// How many objects, versions and markers there are, and the bytes of these and of parts.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let index = self.index.lock();
        let count: usize = index.buckets.values().flat_map(|bucket| bucket.keys.values()).map(Vec::len).sum();
        (count as u64, index.bytes + index.parts)
    }

    /// A file for bytes that arrive; removed when it is dropped, unless it became an object.
    #[must_use]
    pub fn temp(&self) -> Temp {
        Temp::new(self.root.join("tmp").join(Uuid::now_v7().simple().to_string()))
    }

    /// Whether `more` bytes would still be kept.
    ///
    /// # Errors
    /// [`Code::QuotaExceeded`] if not.
    pub fn room(&self, more: u64) -> Result<(), S3Error> {
        let index = self.index.lock();
        room(&index, more, self.quota)
    }

    /// Makes the bytes in `temp` the current version of their key.
    ///
    /// # Errors
    /// When there is no such bucket, no room, the condition does not hold, or the disk refuses.
    pub fn put(&self, bucket: &str, meta: Meta, temp: Temp, expect: &Expect) -> Result<Record, S3Error> {
        self.put_in_place(bucket, meta, temp, expect, 0)
    }

    /// As [`Store::put`], where `released` bytes are freed afterwards: those of the parts that became the object.
    fn put_in_place(
        &self,
        bucket: &str,
        meta: Meta,
        temp: Temp,
        expect: &Expect,
        released: u64,
    ) -> Result<Record, S3Error> {
        check_key(&meta.key)?;
        file::seal(temp.path(), &meta)?;
        let mut index = self.index.lock();
        expect.check(index.bucket(bucket)?.current(&meta.key))?;
        room(&index, meta.size.saturating_sub(released), self.quota)?;
        self.commit(&mut index, bucket, meta, temp)
    }

    /// The rename that makes a sealed file a version, and what follows from it.
    fn commit(&self, index: &mut Index, bucket: &str, meta: Meta, temp: Temp) -> Result<Record, S3Error> {
        let versioned = index.bucket(bucket)?.settings.versioning == Versioning::Enabled;
        let record = Record { meta, sequence: index.next, versioned };
        temp.publish(&self.path(bucket, &record))?;
        index.next += 1;
        index.bytes += record.meta.size;
        let versions = index.bucket_mut(bucket)?.keys.entry(record.meta.key.clone()).or_default();
        versions.push(record.clone());
        if !versioned {
            // There is only one version that is called null.
            let last = versions.len() - 1;
            let replaced: Vec<Record> =
                versions[..last].iter().filter(|old| !old.versioned).cloned().collect();
            for old in replaced {
                self.forget(index, bucket, &old)?;
            }
        }
        Ok(record)
    }

    /// Removes one version.
    fn forget(&self, index: &mut Index, bucket: &str, record: &Record) -> Result<(), S3Error> {
        let path = self.path(bucket, record);
        file::remove(&path)?;
        // Fails while the key has other versions.
        let _ = path.parent().map(fs::remove_dir);
        index.bytes -= record.meta.size;
        let keys = &mut index.bucket_mut(bucket)?.keys;
        if let Some(versions) = keys.get_mut(&record.meta.key) {
            versions.retain(|version| version.sequence != record.sequence);
            if versions.is_empty() {
                keys.remove(&record.meta.key);
            }
        }
        Ok(())
    }

    /// A version, the current one if none is named, and its file, open at its first byte.
    ///
    /// # Errors
    /// When there is none, or it is a delete marker; or the disk refuses.
    pub fn read(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Record, fs::File), S3Error> {
        let index = self.index.lock();
        let bucket_of = index.bucket(bucket)?;
        let record = match version {
            None => bucket_of.current(key).ok_or_else(S3Error::no_key)?,
            Some(version) => find(bucket_of, key, version)?,
        };
        if record.meta.marker {
            let message = "The specified method is not allowed against this resource.";
            return Err(S3Error::new(Code::MethodNotAllowed, message));
        }
        // Opened under the lock: a version that is replaced meanwhile can still be read to its end.
        let file = fs::File::open(self.path(bucket, record))?;
        Ok((record.clone(), file))
    }

    /// Deletes the current version, or hides it behind a marker where versions are kept, or removes the version that is named.
    /// What was removed or the marker; `None` if there was nothing.
    ///
    /// # Errors
    /// When there is no such bucket, the condition does not hold, or the disk refuses.
    pub fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        expect: &Expect,
        now: DateTime<Utc>,
    ) -> Result<Option<Record>, S3Error> {
        check_key(key)?;
        let mut index = self.index.lock();
        let of = index.bucket(bucket)?;
        expect.check(of.current(key))?;
        if let Some(version) = version {
            let Ok(record) = find(of, key, version).cloned() else { return Ok(None) };
            self.forget(&mut index, bucket, &record)?;
            return Ok(Some(record));
        }
        if of.settings.versioning == Versioning::Never {
            let Some(record) = of.current(key).cloned() else { return Ok(None) };
            self.forget(&mut index, bucket, &record)?;
            return Ok(Some(record));
        }
        let meta = Meta {
            key: key.to_owned(),
            size: 0,
            etag: String::new(),
            modified: now,
            marker: true,
            headers: BTreeMap::new(),
        };
        let temp = self.temp();
        fs::File::create(temp.path())?;
        file::seal(temp.path(), &meta)?;
        self.commit(&mut index, bucket, meta, temp).map(Some)
    }

    fn folder(&self, bucket: &str) -> PathBuf {
        self.root.join("buckets").join(bucket)
    }

    fn path(&self, bucket: &str, record: &Record) -> PathBuf {
        file::folder_of(&self.folder(bucket).join("objects"), &record.meta.key).join(record.file_name())
    }

    fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// The folder of the store.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn find<'a>(bucket: &'a Bucket, key: &str, version: &str) -> Result<&'a Record, S3Error> {
    let mut versions = bucket.keys.get(key).into_iter().flatten();
    let none = || S3Error::new(Code::NoSuchVersion, "The specified version does not exist.");
    versions.find(|record| record.version() == version).ok_or_else(none)
}

fn room(index: &Index, more: u64, quota: u64) -> Result<(), S3Error> {
    let used = index.bytes + index.parts;
    if used.saturating_add(more) > quota { Err(S3Error::full()) } else { Ok(()) }
}

fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() > LONGEST_KEY {
        return Err(S3Error::new(Code::KeyTooLongError, "Your key is too long."));
    }
    Ok(())
}
