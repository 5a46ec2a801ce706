//! How a version lies on the disk: its bytes, then what is known of it as JSON, the length of that, and a mark of the format.
//! One file, so one rename makes it appear, whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// Ends every file of the store.
const MARK: &[u8; 8] = b"LABOBJ01";
/// Length of what follows the JSON.
const TAIL: u64 = 16;

/// A file that nobody sees yet.
#[derive(Debug)]
pub struct Temp {
    path: PathBuf,
    published: bool,
}

impl Temp {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, published: false }
    }

    /// Where bytes are to be written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to `target`, where it survives a loss of power too.
    pub(super) fn publish(mut self, target: &Path) -> io::Result<()> {
        let folder = target.parent().unwrap_or(Path::new("."));
        let made = !folder.exists();
        fs::create_dir_all(folder)?;
        fs::rename(&self.path, target)?;
        self.published = true;
        sync(folder)?;
        if made {
            // The folders above are new entries too: two levels of hash, and the bucket's own.
            folder.ancestors().skip(1).take(3).try_for_each(sync)?;
        }
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.published {
            // It may never have been created.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Adds what is known to the bytes of a file, and syncs both.
pub(super) fn seal<M: Serialize>(path: &Path, meta: &M) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    let json = serde_json::to_vec(meta).map_err(io::Error::other)?;
    file.write_all(&json)?;
    file.write_all(&(json.len() as u64).to_le_bytes())?;
    file.write_all(MARK)?;
    file.sync_all()
}

/// What [`seal`] added.
pub(super) fn read_seal<M: DeserializeOwned>(path: &Path) -> io::Result<M> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a whole file of this store");
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let tail_at = length.checked_sub(TAIL).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(tail_at))?;
    let mut tail = [0; 16];
    file.read_exact(&mut tail)?;
    let (size, mark) = tail.split_at(8);
    let size = u64::from_le_bytes(size.try_into().map_err(io::Error::other)?);
    let start = tail_at.checked_sub(size).filter(|_| mark == MARK).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(start))?;
    let mut json = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    file.read_exact(&mut json)?;
    serde_json::from_slice(&json).map_err(io::Error::other)
}

/// The folder of a key's versions below `objects`. By hash: a key may be longer than a file name, and have any characters.
pub(super) fn folder_of(objects: &Path, key: &str) -> PathBuf {
    let hash = hex::encode(Sha256::digest(key.as_bytes()));
    objects.join(&hash[..2]).join(&hash[2..])
}

/// Removes a file for good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync(path.parent().unwrap_or(Path::new(".")))
}

/// Writes a small file in place of the one before, whole or not at all.
pub(super) fn replace<M: Serialize>(temp: Temp, target: &Path, value: &M) -> io::Result<()> {
    let mut file = File::create(temp.path())?;
    file.write_all(&serde_json::to_vec_pretty(value).map_err(io::Error::other)?)?;
    file.sync_all()?;
    temp.publish(target)
}

pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What is in a folder, in the order of the names; nothing if there is no folder.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = listed.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The folders in a folder.
pub(super) fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}
