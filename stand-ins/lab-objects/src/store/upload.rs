//! Uploads in parts: a folder each, with what the object will be and its parts, until they become the object.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Expect, Meta, Record, Store, Temp, check_key,
    file::{self, entries, folders},
    room,
};
use crate::error::{Code, S3Error};

/// Smallest part that is not the last, in bytes.
const SMALLEST: u64 = 5 << 20;

/// What the object will be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) begun: DateTime<Utc>,
    headers: BTreeMap<String, String>,
}

/// What is known of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// 1 to 10000.
    pub number: u32,
    /// Length in bytes.
    pub size: u64,
    /// MD5 in hex.
    pub etag: String,
}

/// A part as the client knows it, to be completed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its number.
    pub number: u32,
    /// Its `ETag`, without quotes.
    pub etag: String,
}

impl Store {
    /// Begins an upload; its id.
    ///
    /// # Errors
    /// When there is no such bucket, the key is too long, or the disk refuses.
    pub fn begin(
        &self,
        bucket: &str,
        key: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<String, S3Error> {
        check_key(key)?;
        self.settings(bucket)?;
        let id = Uuid::now_v7().simple().to_string();
        let upload = Upload { bucket: bucket.to_owned(), key: key.to_owned(), begun: Utc::now(), headers };
        file::replace(self.temp(), &self.uploads().join(&id).join("upload.json"), &upload)?;
        Ok(id)
    }

    /// Keeps a part, in place of an earlier one of the same number.
    ///
    /// # Errors
    /// When there is no such upload, no room, or the disk refuses.
    pub fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        part: &Part,
        temp: Temp,
    ) -> Result<(), S3Error> {
        let (folder, _) = self.upload(bucket, key, id)?;
        file::seal(temp.path(), part)?;
        let mut index = self.index.lock();
        let target = folder.join(part_name(part.number));
        let before = file::read_seal::<Part>(&target).map_or(0, |part| part.size);
        room(&index, part.size.saturating_sub(before), self.quota)?;
        if !folder.join("upload.json").exists() {
            return Err(no_upload());
        }
        temp.publish(&target)?;
        index.parts = index.parts - before + part.size;
        Ok(())
    }

    /// Makes an object of the parts that the client claims, in their order, and forgets the upload.
    ///
    /// # Errors
    /// When a part is missing, another or too small, the order is wrong; as [`Store::put`].
    pub fn complete(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        claimed: &[Claimed],
        expect: &Expect,
    ) -> Result<Record, S3Error> {
        let (folder, upload) = self.upload(bucket, key, id)?;
        let parts = check(&folder, claimed)?;
        let temp = self.temp();
        let mut whole = File::create(temp.path())?;
        let mut digests = Md5::new();
        for part in &parts {
            let from = File::open(folder.join(part_name(part.number)))?;
            let copied = io::copy(&mut from.take(part.size), &mut whole)?;
            if copied != part.size {
                return Err(S3Error::internal(&format_args!("part {} is shorter than it was", part.number)));
            }
            digests.update(hex::decode(&part.etag).map_err(|error| S3Error::internal(&error))?);
        }
        let meta = Meta {
            key: key.to_owned(),
            size: parts.iter().map(|part| part.size).sum(),
            etag: format!("{}-{}", hex::encode(digests.finalize()), parts.len()),
            modified: Utc::now(),
            marker: false,
            headers: upload.headers,
        };
        let released = meta.size;
        let record = self.put_in_place(bucket, meta, temp, expect, released)?;
        self.drop_upload(&folder)?;
        Ok(record)
    }

    /// Forgets an upload and its parts.
    ///
    /// # Errors
    /// When there is no such upload, or the disk refuses.
    pub fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), S3Error> {
        let (folder, _) = self.upload(bucket, key, id)?;
        Ok(self.drop_upload(&folder)?)
    }

    /// All uploads: their folders, and what they are for.
    pub(super) fn all_uploads(&self) -> io::Result<Vec<(PathBuf, Upload)>> {
        let readable = |folder: PathBuf| {
            let upload = read(&folder).ok()?;
            Some((folder, upload))
        };
        Ok(folders(&self.uploads())?.into_iter().filter_map(readable).collect())
    }

    pub(super) fn drop_upload(&self, folder: &Path) -> io::Result<()> {
        let mut index = self.index.lock();
        let parts = bytes_of(folder)?;
        // First what makes it an upload: no part may follow.
        file::remove(&folder.join("upload.json"))?;
        fs::remove_dir_all(folder)?;
        index.parts -= parts;
        Ok(())
    }

    fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<(PathBuf, Upload), S3Error> {
        self.settings(bucket)?;
        // An id becomes a path.
        let id: Uuid = id.parse().map_err(|_| no_upload())?;
        let folder = self.uploads().join(id.simple().to_string());
        let upload = read(&folder).map_err(|_| no_upload())?;
        if upload.bucket != bucket || upload.key != key {
            return Err(no_upload());
        }
        Ok((folder, upload))
    }
}

fn no_upload() -> S3Error {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    S3Error::new(Code::NoSuchUpload, message)
}

fn read(folder: &Path) -> io::Result<Upload> {
    serde_json::from_slice(&fs::read(folder.join("upload.json"))?).map_err(io::Error::other)
}

fn part_name(number: u32) -> String {
    format!("part-{number:05}")
}

/// The parts as they are kept, if the client claims the same.
fn check(folder: &Path, claimed: &[Claimed]) -> Result<Vec<Part>, S3Error> {
    let ascending = claimed.windows(2).all(|pair| pair[0].number < pair[1].number);
    if !ascending || claimed.is_empty() {
        let message = "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
        return Err(S3Error::new(Code::InvalidPartOrder, message));
    }
    let mut parts = Vec::with_capacity(claimed.len());
    for claim in claimed {
        let part: Option<Part> = file::read_seal(&folder.join(part_name(claim.number))).ok();
        let part = part.filter(|part| part.etag == claim.etag).ok_or_else(|| {
            let message = format!("Part {} could not be found, or has another ETag.", claim.number);
            S3Error::new(Code::InvalidPart, message)
        })?;
        parts.push(part);
    }
    let last = parts.len() - 1;
    if parts[..last].iter().any(|part| part.size < SMALLEST) {
        let message = "Your proposed upload is smaller than the minimum allowed size.";
        return Err(S3Error::new(Code::EntityTooSmall, message));
    }
    Ok(parts)
}

/// Bytes of the parts of one upload.
fn bytes_of(folder: &Path) -> io::Result<u64> {
    let parts = entries(folder)?.into_iter().filter(|path| !path.ends_with("upload.json"));
    Ok(parts.filter_map(|path| file::read_seal::<Part>(&path).ok()).map(|part| part.size).sum())
}

/// Bytes of the parts of all uploads.
pub(super) fn bytes(uploads: &Path) -> io::Result<u64> {
    folders(uploads)?.iter().map(|folder| bytes_of(folder)).sum()
}
