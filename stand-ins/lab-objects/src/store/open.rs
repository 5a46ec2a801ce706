//! What is on the disk when the process starts, as an index.

use std::{fs, io, path::Path};

use parking_lot::Mutex;

use super::{
    Bucket, Index, Meta, Record, Store,
    file::{self, entries, folders},
    upload,
};

impl Store {
    /// Reads the folder `root`, which is created if it does not exist. Bytes that never became an object are removed; a file that
    /// is not whole, which only a damaged disk makes, is moved to `damaged/`.
    ///
    /// # Errors
    /// When the folder cannot be created or read, or another process has it open.
    pub fn open(root: &Path, quota: u64) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let lock = fs::File::create(root.join("lock"))?;
        lock.try_lock().map_err(|error| io::Error::other(format!("another process has it open: {error}")))?;
        let store = Self { root: root.clone(), quota, index: Mutex::default(), _lock: lock };
        let tmp = root.join("tmp");
        if tmp.exists() {
            fs::remove_dir_all(&tmp)?;
        }
        for folder in [&tmp, &root.join("buckets"), &store.uploads()] {
            fs::create_dir_all(folder)?;
        }
        let mut index = Index { parts: upload::bytes(&store.uploads())?, next: 1, ..Index::default() };
        for folder in folders(&root.join("buckets"))? {
            let settings = folder.join("settings.json");
            // Without settings the bucket was never acknowledged.
            let Ok(text) = fs::read(&settings) else { continue };
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let settings = serde_json::from_slice(&text).map_err(io::Error::other)?;
            let mut bucket = Bucket { settings, ..Bucket::default() };
            store.read_bucket(&folder.join("objects"), &mut bucket)?;
            index.buckets.insert(name, bucket);
        }
        let records = index.buckets.values().flat_map(|bucket| bucket.keys.values().flatten());
        for record in records {
            index.next = index.next.max(record.sequence + 1);
            index.bytes += record.meta.size;
        }
        *store.index.lock() = index;
        Ok(store)
    }

    fn read_bucket(&self, objects: &Path, bucket: &mut Bucket) -> io::Result<()> {
        for hash in folders(objects)?.iter().map(|folder| folders(folder)).collect::<io::Result<Vec<_>>>()? {
            for path in hash.iter().map(|folder| entries(folder)).collect::<io::Result<Vec<_>>>()?.concat() {
                match read(&path) {
                    Ok(record) => bucket.keys.entry(record.meta.key.clone()).or_default().push(record),
                    Err(error) => self.set_aside(&path, &error)?,
                }
            }
        }
        for versions in bucket.keys.values_mut() {
            versions.sort_by_key(|record| record.sequence);
            // A process that was killed between a write and the removal of what it replaced leaves both.
            let newest = versions.iter().rev().find(|record| !record.versioned).map(|record| record.sequence);
            let stale = |record: &Record| !record.versioned && Some(record.sequence) != newest;
            for record in versions.iter().filter(|record| stale(record)) {
                let folder = file::folder_of(objects, &record.meta.key);
                file::remove(&folder.join(record.file_name()))?;
            }
            versions.retain(|record| !stale(record));
        }
        Ok(())
    }

    fn set_aside(&self, path: &Path, error: &io::Error) -> io::Result<()> {
        let aside = self.root.join("damaged");
        fs::create_dir_all(&aside)?;
        let name = path.file_name().unwrap_or_default();
        tracing::error!(path = %path.display(), %error, "a damaged object is set aside");
        fs::rename(path, aside.join(name))
    }
}

/// One version, by its file.
fn read(path: &Path) -> io::Result<Record> {
    let unnamed = || io::Error::new(io::ErrorKind::InvalidData, "not the name of a version");
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(unnamed)?;
    let (sequence, kind) = name.split_once('.').ok_or_else(unnamed)?;
    let sequence = u64::from_str_radix(sequence, 16).map_err(|_| unnamed())?;
    let versioned = match kind {
        "v" => true,
        "n" => false,
        _ => return Err(unnamed()),
    };
    let meta: Meta = file::read_seal(path)?;
    Ok(Record { meta, sequence, versioned })
}
