//! How content gets into the store and out of it: compressed, encrypted, hashed; and back, each refused in a sentence if
//! anything about it is wrong.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use recovery::{
    Key, Manifest,
    seal::{Opener, Prefix, Sealer},
};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{random, store::Store};

/// Ending of files that are compressed and encrypted.
pub(crate) const SEALED: &str = ".zst.sealed";

/// Fast: a backup must not take a core from the server that it copies.
const LEVEL: i32 = 1;

/// A store and the key of what is in it.
pub(crate) struct Vault {
    /// The store.
    pub(crate) store: Box<dyn Store>,
    key: Key,
    /// For files on their way.
    scratch: PathBuf,
}

impl Vault {
    /// With a folder for files on their way, which is created.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) fn new(store: Box<dyn Store>, key: Key, scratch: PathBuf) -> Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&scratch);
        made.with_context(|| format!("cannot create {}", scratch.display()))?;
        Ok(Self { store, key, scratch })
    }

    /// Held during a restore: two at once would use the same folder.
    ///
    /// # Errors
    /// When another one runs.
    pub(crate) fn only_one(&self) -> Result<File> {
        let path = self.scratch.join("restore.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(_) => bail!("another restore or verification runs: wait until it has ended"),
        }
    }

    /// Id of the key.
    pub(crate) fn key_id(&self) -> String {
        self.key.id()
    }

    /// Stores content under `name` followed by [`SEALED`]; returns what a manifest says about it, with the last part of
    /// the name.
    ///
    /// # Errors
    /// When the content cannot be read, or the store does not take it.
    pub(crate) fn pack(
        &self,
        name: &str,
        content: &mut dyn Read,
        stamp: DateTime<Utc>,
    ) -> Result<recovery::File> {
        let name = format!("{name}{SEALED}");
        let file = self.draft()?;
        let mut prefix: Prefix = [0; 19];
        random(&mut prefix)?;
        let write = |content: &mut dyn Read| -> io::Result<(u64, Hashing<BufWriter<File>>)> {
            let out = Hashing { out: BufWriter::new(file.reopen()?), hash: Sha256::new(), bytes: 0 };
            let mut encoder =
                zstd::stream::write::Encoder::new(Sealer::new(out, &self.key, prefix, &name)?, LEVEL)?;
            let length = io::copy(content, &mut encoder)?;
            Ok((length, encoder.finish()?.finish()?))
        };
        let (content_bytes, written) = write(content).with_context(|| format!("cannot pack {name}"))?;
        self.store.put(&name, file.path(), stamp)?;
        let last = name.rsplit('/').next().unwrap_or_default().to_owned();
        let sha256 = hex::encode(written.hash.finalize());
        Ok(recovery::File { name: last, bytes: written.bytes, sha256, content_bytes })
    }

    /// Writes the content of a file of a backup to `out`, after checking size and hash of what is stored.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it.
    pub(crate) fn unpack(&self, manifest: &Manifest, name: &str, out: &mut dyn Write) -> Result<()> {
        let id = &manifest.id;
        let expected = manifest.file(name).with_context(|| format!("backup {id} has no file {name}"))?;
        let own = self.key.id();
        if manifest.key != own {
            bail!(
                "backup {id} needs the key {}, and the given key is {own}: name the right one with --key",
                manifest.key
            );
        }
        let path = format!("backups/{id}/{name}");
        let file = self.fetch(&path)?;
        let mut hashing = Hashing { out: io::sink(), hash: Sha256::new(), bytes: 0 };
        io::copy(&mut file.reopen()?, &mut hashing)?;
        if hashing.bytes != expected.bytes {
            bail!(
                "{path} is damaged: it has {} bytes, and its manifest says {}",
                hashing.bytes,
                expected.bytes
            );
        }
        if hex::encode(hashing.hash.finalize()) != expected.sha256 {
            bail!("{path} is damaged: its SHA-256 is not that of its manifest");
        }
        let length = self.open(&path, &file, out)?;
        if length != expected.content_bytes {
            bail!(
                "{path} is damaged: it holds {length} bytes, and its manifest says {}",
                expected.content_bytes
            );
        }
        Ok(())
    }

    /// Writes the content of a stored file, named without [`SEALED`], to `out`; returns its length in bytes.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it.
    pub(crate) fn unpack_alone(&self, name: &str, out: &mut dyn Write) -> Result<u64> {
        let path = format!("{name}{SEALED}");
        self.open(&path, &self.fetch(&path)?, out)
    }

    fn open(&self, path: &str, file: &NamedTempFile, out: &mut dyn Write) -> Result<u64> {
        let open = |out: &mut dyn Write| -> io::Result<u64> {
            let opener = Opener::new(BufReader::new(file.reopen()?), &self.key, path)?;
            let mut decoder = zstd::stream::read::Decoder::new(opener)?;
            let length = io::copy(&mut decoder, out)?;
            // What follows is read too: only its end proves that the file is complete.
            let more = io::copy(&mut decoder.finish(), &mut io::sink())?;
            if more > 0 { Err(io::Error::other("more follows its content")) } else { Ok(length) }
        };
        open(out).with_context(|| format!("{path} cannot be used"))
    }

    /// Stores a short text as it is.
    ///
    /// # Errors
    /// When the store does not take it.
    pub(crate) fn put_text(&self, name: &str, text: &str, stamp: DateTime<Utc>) -> Result<()> {
        let file = self.draft()?;
        fs::write(file.path(), text).with_context(|| format!("cannot write {}", file.path().display()))?;
        self.store.put(name, file.path(), stamp)
    }

    /// Reads a short text.
    ///
    /// # Errors
    /// When it does not exist or cannot be read.
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let file = self.fetch(name)?;
        fs::read_to_string(file.path()).with_context(|| format!("{name} cannot be read"))
    }

    fn fetch(&self, name: &str) -> Result<NamedTempFile> {
        let file = self.draft()?;
        self.store.get(name, file.path())?;
        Ok(file)
    }

    fn draft(&self) -> Result<NamedTempFile> {
        let made = tempfile::Builder::new().prefix("on-its-way-").tempfile_in(&self.scratch);
        made.with_context(|| format!("cannot write in {}", self.scratch.display()))
    }
}

/// Hashes and counts what is written through it.
struct Hashing<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += u64::try_from(written).unwrap_or_default();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
