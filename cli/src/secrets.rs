//! Passwords and keys of one lab: created once, kept in `<lab>/secrets`, one file each, readable by its owner only.
//!
//! A process receives them in its environment or in a file of mode 0600, never on its command line, which every
//! user of the machine can read (docs/adr/0013-secrets-of-a-lab.md).

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::PathBuf,
};

use anyhow::{Context, Result};
use secrecy::{ExposeSecret as _, SecretString};
use supervisor::write_private;

use crate::home::Home;

/// Length of a secret: 192 bits cannot be guessed, and need no slow hash. Written as hexadecimal digits, it needs no quoting in a
/// URL, in SQL or in a file.
const BYTES: usize = 24;

/// The folder with the secrets.
#[derive(Debug, Clone)]
pub(crate) struct Secrets(PathBuf);

impl Secrets {
    /// Of this lab. Creates nothing.
    pub(crate) fn of(home: &Home) -> Self {
        Self(home.dir.join("secrets"))
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The secret with this name; created if it does not exist.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub(crate) fn make(&self, name: &str) -> Result<SecretString> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(SecretString::from(text.trim())),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
            _ => {}
        }
        self.replace(name)
    }

    /// A new secret in the place of the one with this name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn replace(&self, name: &str) -> Result<SecretString> {
        let secret = SecretString::from(random()?);
        self.write(name, secret.expose_secret())?;
        Ok(secret)
    }

    /// The secret with this name.
    ///
    /// # Errors
    /// When it does not exist, or belongs to another user.
    pub(crate) fn read(&self, name: &str) -> Result<SecretString> {
        let path = self.path(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(SecretString::from(text.trim()))
    }

    /// Writes a file that only its owner can read; atomically, so that a reader sees all of it or nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        write_private(&path, text)?;
        Ok(path)
    }
}

fn random() -> Result<String> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_created_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets(folder.path().join("secrets"));
        assert!(secrets.read("one").is_err());
        let one = secrets.make("one").unwrap();
        let shown = |secret: SecretString| secret.expose_secret().to_owned();
        assert_eq!(one.expose_secret().len(), 48);
        assert_eq!(shown(secrets.make("one").unwrap()), one.expose_secret());
        assert_eq!(shown(secrets.read("one").unwrap()), one.expose_secret());
        assert_ne!(shown(secrets.make("another").unwrap()), one.expose_secret());
        let mode = fs::metadata(secrets.path("one")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{one:?}").contains(one.expose_secret()), "a secret is not printed by accident");
    }
}
