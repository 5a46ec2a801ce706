//! Names that one test process of this machine has at a time: a port, the ports of a lab.
//!
//! A claim is a locked file. The system gives it back when its process ends, however that happens.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// The same for every process, whatever its `TMPDIR` says.
const FOLDER: &str = "/tmp/testkit-claims";

/// A name that nobody else has; given back when dropped.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// `None` while somebody has it, or where `/tmp` cannot be written to.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let folder = Path::new(FOLDER);
        if !folder.is_dir() {
            let _ = fs::create_dir(folder);
            // Other users run tests too.
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o777));
        }
        let file = File::options().write(true).create(true).truncate(false).open(folder.join(name)).ok()?;
        file.try_lock().ok()?;
        Some(Self { _lock: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_claimed_once_and_free_again_afterwards() {
        let name = format!("test-{}", std::process::id());
        let claim = Claim::of(&name).unwrap();
        assert!(Claim::of(&name).is_none());
        drop(claim);
        assert!(Claim::of(&name).is_some());
        fs::remove_file(Path::new(FOLDER).join(name)).unwrap();
    }
}
