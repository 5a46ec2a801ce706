//! Where lines go. A line is one write: the other end reads whole lines, and no thread waits for another one that writes a line of
//! the usual length.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd as _,
};

use parking_lot::{Mutex, RwLock};

/// Longest line, in bytes, that the kernel never mixes with others in a pipe (`PIPE_BUF`, pipe(7)). Files that were opened for
/// appending have no such limit.
const WHOLE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// A sink of lines.
pub struct Out(Kind);

enum Kind {
    /// Short lines share the lock, so that they do not wait for each other; a long one has it alone.
    File(RwLock<File>),
    Other(Mutex<Box<dyn Write + Send>>),
}

impl Out {
    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        // Without the buffer and the lock of the standard library.
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(own) => Self(Kind::File(RwLock::new(File::from(own)))),
            Err(_) => Self::to(io::stdout()),
        }
    }

    /// A writer, which gets one line after the other.
    #[must_use]
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self(Kind::Other(Mutex::new(Box::new(out))))
    }

    /// Writes a line. A closed stdout must not take the service down.
    pub(super) fn write(&self, line: &[u8]) {
        let _ = match &self.0 {
            Kind::File(file) if line.len() > WHOLE => (&*file.write()).write_all(line),
            Kind::File(file) => (&*file.read()).write_all(line),
            Kind::Other(out) => out.lock().write_all(line),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Read, thread};

    use super::*;

    #[test]
    fn lines_of_many_threads_arrive_whole_through_a_pipe_however_long_they_are() {
        const LINES: usize = 100;
        let (reader, writer) = io::pipe().unwrap();
        let out = Out(Kind::File(RwLock::new(File::from(std::os::fd::OwnedFd::from(writer)))));
        let text = thread::scope(|scope| {
            // Longer lines than the pipe holds: 64 KiB.
            for (name, length) in [(b'a', 10), (b'b', 300), (b'c', WHOLE + 1), (b'd', 100_000)] {
                let out = &out;
                scope.spawn(move || {
                    let line = [&vec![name; length][..], b"\n"].concat();
                    (0..LINES).for_each(|_| out.write(&line));
                });
            }
            let read = scope.spawn(move || {
                let mut text = Vec::new();
                let all: usize = LINES * (11 + 301 + WHOLE + 2 + 100_001);
                reader.take(all as u64).read_to_end(&mut text).unwrap();
                text
            });
            read.join().unwrap()
        });
        let mut found: BTreeMap<(u8, usize), usize> = BTreeMap::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(line.iter().all(|byte| *byte == line[0]), "a line in another one");
            *found.entry((line[0], line.len())).or_default() += 1;
        }
        let expected = [(b'a', 10), (b'b', 300), (b'c', WHOLE + 1), (b'd', 100_000)];
        assert_eq!(found, expected.map(|line| (line, LINES)).into());
    }
}
