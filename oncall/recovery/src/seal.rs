//! How a file is encrypted: XChaCha20-Poly1305 over chunks of 64 KiB, each with the number of the chunk and whether it is
//! the last one in its nonce (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, 2015). So a changed byte, a
//! missing, repeated or swapped chunk and a cut end are all found; so is a file under another file's name, which is
//! authenticated with every chunk.
//!
//! Layout: `lab-sealed-1\n`, 8 bytes key id, 19 bytes nonce prefix, then chunks, each 16 bytes longer than its text.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 13] = b"lab-sealed-1\n";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const ID: usize = 8;

/// Random bytes at the beginning of each nonce: one value for each file.
pub type Prefix = [u8; 19];

/// A key. Kept away from the backups that it opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// From 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From the text of a key file: 64 hexadecimal digits.
    ///
    /// # Errors
    /// A sentence without the text.
    pub fn read(text: &str) -> Result<Self, String> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| "expected a key: 64 hexadecimal digits".to_owned())
    }

    /// The text of a key file.
    #[must_use]
    pub fn text(&self) -> String {
        hex::encode(self.0)
    }

    /// Tells keys apart and says nothing about them: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.id_bytes())
    }

    fn id_bytes(&self) -> [u8; ID] {
        let digest = Sha256::new().chain_update(b"lab backup key\0").chain_update(self.0).finalize();
        let mut id = [0; ID];
        id.copy_from_slice(&digest[..ID]);
        id
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// The cipher of one file, and which chunk is next.
struct Stream {
    cipher: XChaCha20Poly1305,
    prefix: Prefix,
    number: u32,
    name: Vec<u8>,
}

impl Stream {
    fn new(key: &Key, prefix: Prefix, name: &str) -> Self {
        Self { cipher: key.cipher(), prefix, number: 0, name: name.as_bytes().to_vec() }
    }

    /// The nonce of the next chunk.
    fn nonce(&mut self, last: bool) -> io::Result<XNonce> {
        let mut nonce = [0; 24];
        nonce[..19].copy_from_slice(&self.prefix);
        nonce[19..23].copy_from_slice(&self.number.to_be_bytes());
        nonce[23] = u8::from(last);
        // 2^32 chunks are 256 TiB: no backup is larger.
        let next = self.number.checked_add(1).ok_or_else(|| damaged("it is longer than 256 TiB"))?;
        self.number = next;
        Ok(nonce.into())
    }

    fn seal(&mut self, text: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(last)?;
        let payload = Payload { msg: text, aad: &self.name };
        self.cipher.encrypt(&nonce, payload).map_err(|_| damaged("it cannot be encrypted"))
    }

    fn open(&mut self, sealed: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(last)?;
        let payload = Payload { msg: sealed, aad: &self.name };
        self.cipher
            .decrypt(&nonce, payload)
            .map_err(|_| damaged("it was changed, cut short, or belongs to another name"))
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.to_owned())
}

/// Encrypts what is written to it. Without [`Sealer::finish`] the file has no end, and cannot be opened.
pub struct Sealer<W> {
    out: W,
    stream: Stream,
    buffer: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file with this name; `prefix` must be random, and new for each file.
    ///
    /// # Errors
    /// As `out`.
    pub fn new(mut out: W, key: &Key, prefix: Prefix, name: &str) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        out.write_all(&key.id_bytes())?;
        out.write_all(&prefix)?;
        Ok(Self { out, stream: Stream::new(key, prefix, name), buffer: Vec::with_capacity(CHUNK) })
    }

    /// Writes the last chunk.
    ///
    /// # Errors
    /// As the writer that it was made with.
    pub fn finish(mut self) -> io::Result<W> {
        let sealed = self.stream.seal(&self.buffer, true)?;
        self.out.write_all(&sealed)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.is_empty() {
            return Ok(0);
        }
        // Only when more comes is a full chunk known not to be the last one.
        if self.buffer.len() == CHUNK {
            let sealed = self.stream.seal(&self.buffer, false)?;
            self.out.write_all(&sealed)?;
            self.buffer.clear();
        }
        let taken = text.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&text[..taken]);
        Ok(taken)
    }

    /// Keeps what is not a whole chunk.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts while it is read. Each byte that it returns is authentic; that the file is complete is known at its end.
pub struct Opener<R> {
    sealed: R,
    stream: Stream,
    /// Read and not opened: at most a chunk, its tag, and one byte that shows that more follows.
    ahead: Vec<u8>,
    /// Opened and not returned.
    text: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Opens a file with this name.
    ///
    /// # Errors
    /// As `sealed`; and with [`ErrorKind::InvalidData`] and a sentence if it is no such file, or another key sealed it.
    pub fn new(mut sealed: R, key: &Key, name: &str) -> io::Result<Self> {
        let mut header = [0; MAGIC.len() + ID + 19];
        sealed.read_exact(&mut header).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged("it is cut short"),
            _ => error,
        })?;
        let (magic, rest) = header.split_at(MAGIC.len());
        let (id, prefix) = rest.split_at(ID);
        if magic != MAGIC {
            return Err(damaged("it is not an encrypted file of a backup"));
        }
        if id != key.id_bytes() {
            let (id, own) = (hex::encode(id), key.id());
            return Err(damaged(&format!("it was encrypted with the key {id}, and the given key is {own}")));
        }
        let prefix = Prefix::try_from(prefix).map_err(|_| damaged("it is cut short"))?;
        let stream = Stream::new(key, prefix, name);
        Ok(Self { sealed, stream, ahead: Vec::new(), text: Vec::new(), at: 0, ended: false })
    }

    fn fill(&mut self) -> io::Result<()> {
        let whole = CHUNK + TAG;
        let missing = u64::try_from(whole + 1 - self.ahead.len()).unwrap_or_default();
        self.sealed.by_ref().take(missing).read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() <= whole;
        let end = self.ahead.len().min(whole);
        self.text = self.stream.open(&self.ahead[..end], last)?;
        self.ahead.drain(..end);
        self.at = 0;
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.ended || buffer.is_empty() {
                return Ok(0);
            }
            self.fill()?;
        }
        let taken = buffer.len().min(self.text.len() - self.at);
        buffer[..taken].copy_from_slice(&self.text[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}
