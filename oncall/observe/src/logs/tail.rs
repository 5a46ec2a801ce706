//! Whole lines of a growing file, from an offset on, a bounded number of bytes at a time. Keeps no state: the caller
//! notes where the next line begins.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// Longest part of a first line that identifies a file.
const HEAD: usize = 512;
/// A longer line is cut into several.
pub(super) const LONGEST: usize = 256 << 10;

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Lines that are not blank, without their ends, and the offset at which each begins.
    pub(super) lines: Vec<(u64, String)>,
    /// Where the next line begins.
    pub(super) end: u64,
}

/// Reads lines that begin at `from` or later, at most `most` bytes of them. A line that has not ended yet, or does not fit, is
/// left for later, unless there are [`LONGEST`] bytes of it: then it is cut.
pub(super) fn read(path: &Path, from: u64, most: usize) -> std::io::Result<Piece> {
    let bytes = bytes(path, from, most)?;
    let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => last + 1,
        None if bytes.len() >= LONGEST => bytes.len(),
        None => 0,
    };
    Ok(split(&bytes[..whole], from))
}

/// As [`read`], for a file that nobody writes to any more: its last line needs no end.
pub(super) fn read_rest(path: &Path, from: u64, most: usize) -> std::io::Result<Piece> {
    let piece = read(path, from, most)?;
    if piece.end > from {
        return Ok(piece);
    }
    let bytes = bytes(path, from, most)?;
    // As many as were asked for: there may be more of the line.
    Ok(if bytes.len() < most { split(&bytes, from) } else { piece })
}

fn bytes(path: &Path, from: u64, most: usize) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn split(bytes: &[u8], from: u64) -> Piece {
    let mut piece = Piece { lines: Vec::new(), end: from };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() {
            piece.lines.push((piece.end, text.to_owned()));
        }
        piece.end += line.len() as u64;
    }
    piece
}

/// What identifies the contents of a log, wherever they are moved or copied to: its first line, which has a time, or the
/// beginning of a long one. `None` while there is none.
pub(super) fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(HEAD as u64).read_to_end(&mut bytes).ok()?;
    let end = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => end,
        None if bytes.len() == HEAD => HEAD,
        None => return None,
    };
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// The inode of a file, and its length.
pub(super) fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let meta = fs::metadata(path)?;
    Ok((meta.ino(), meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(piece: &Piece) -> Vec<(u64, &str)> {
        piece.lines.iter().map(|(at, text)| (*at, text.as_str())).collect()
    }

    #[test]
    fn only_whole_lines_are_read_within_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        fs::write(&path, "one\n\ntwo\r\nthr").unwrap();
        let piece = read(&path, 0, 100).unwrap();
        assert_eq!((texts(&piece), piece.end), (vec![(0, "one"), (5, "two")], 10));
        assert_eq!(read(&path, 10, 100).unwrap(), Piece { lines: vec![], end: 10 }, "not ended yet");
        assert_eq!(texts(&read_rest(&path, 10, 100).unwrap()), [(10, "thr")]);
        let piece = read(&path, 0, 6).unwrap();
        assert_eq!((texts(&piece), piece.end), (vec![(0, "one")], 5), "the next line is over the bound");
        for reader in [read, read_rest] {
            assert_eq!(reader(&path, 10, 2).unwrap(), Piece { lines: vec![], end: 10 }, "it does not fit");
        }
        fs::write(&path, "x".repeat(LONGEST + 1)).unwrap();
        let piece = read(&path, 0, LONGEST).unwrap();
        assert_eq!((piece.lines.len(), piece.end), (1, LONGEST as u64), "an endless line is cut");
    }

    #[test]
    fn a_log_is_known_by_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        fs::write(&path, "06:17 star").unwrap();
        assert_eq!(head(&path), None);
        fs::write(&path, "06:17 start\nmore\n").unwrap();
        assert_eq!(head(&path).as_deref(), Some("06:17 start"));
        fs::write(&path, "x".repeat(600)).unwrap();
        assert_eq!(head(&path).map(|head| head.len()), Some(HEAD));
    }
}
