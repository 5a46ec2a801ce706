//! The lock of a lab's folder: held by the supervisor for as long as it lives, with its pid inside. The only
//! reliable sign that a lab is running, whatever the state file says.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
};

use crate::{Folder, Result, error::About as _, process::ProcId};

/// Held until it is dropped; the system releases it even after SIGKILL.
pub struct Lock(File);

/// The result of an attempt.
pub enum Taken {
    /// The lock is ours now.
    Ours(Lock),
    /// Another process has it; its pid, if it is in the file.
    By(Option<ProcId>),
}

/// Tries to take the lock of the lab's folder; `None` if no lab has ever run there.
///
/// # Errors
/// When it can be neither opened nor locked, for example because it belongs to another user.
pub fn take(folder: &Folder) -> Result<Option<Taken>> {
    open(folder, false)
}

/// Like [`take`], in a folder that may be new.
///
/// # Errors
/// As [`take`].
pub fn take_or_make(folder: &Folder) -> Result<Option<Taken>> {
    open(folder, true)
}

fn open(folder: &Folder, make: bool) -> Result<Option<Taken>> {
    let path = folder.lock();
    let file = OpenOptions::new().read(true).write(true).create(make).truncate(false).open(&path);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).about("open", &path),
    };
    match file.try_lock() {
        Ok(()) => {
            let me = serde_json::to_string(&ProcId::myself())?;
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(me.as_bytes()))
                .about("write", &path)?;
            Ok(Some(Taken::Ours(Lock(file))))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            Ok(Some(Taken::By(serde_json::from_str(&text).ok())))
        }
        Err(TryLockError::Error(error)) => Err(error).about("lock", &path),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file must not name a process that no longer holds the lock.
        let _ = self.0.set_len(0);
    }
}
