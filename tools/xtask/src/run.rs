//! Runs one test program.

use std::{
    io::{self, BufRead as _, BufReader, Read},
    process::{Command, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    libtest::{End, Reading},
    programs::Program,
};

/// Longest silence. The slowest test of a whole lab takes a few minutes.
const SILENCE: Duration = Duration::from_mins(15);

/// Beginnings of lines that are shown at once: what a machine lacks, what died beside the tests, what takes its time.
const LOUD: [&str; 2] = ["SKIPPED", "BROKER DIED"];

/// A test program, and how it is run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) program: Program,
    /// Which of its tests, in libtest's words; all of them if empty.
    pub(crate) only: Vec<&'static str>,
    /// What these tests are called, if their words are too many for a line.
    pub(crate) called: Option<&'static str>,
    /// A variable in its environment.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    /// Tests at a time.
    pub(crate) threads: usize,
    /// By how much it yields to what runs beside it, as `nice` counts.
    pub(crate) nice: u8,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) job: Job,
    pub(crate) reading: Reading,
    pub(crate) end: End,
    pub(crate) time: Duration,
}

impl Job {
    pub(crate) fn new(program: Program, threads: usize) -> Self {
        Self { program, only: Vec::new(), called: None, variable: None, threads, nice: 0 }
    }

    /// The program and what is special about this run of it.
    pub(crate) fn name(&self) -> String {
        let variable = self.variable.map(|(name, value)| format!("{name}={value} ")).unwrap_or_default();
        let words = || -> String { self.only.iter().map(|word| format!(" {word}")).collect() };
        let which = self.called.map_or_else(words, |called| format!(" ({called})"));
        format!("{variable}{}{which}", self.program.target)
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Result<Outcome> {
        let tests = self.tests()?;
        let mut command = self.command();
        command.args(["--test-threads", &self.threads.to_string()]).args(&self.only);
        let reading = Reading::new(tests, self.threads);
        self.watch(command, reading)
    }

    /// Runs one of its tests, alone.
    pub(crate) fn run_one(self, test: &str) -> Result<Outcome> {
        let mut command = self.command();
        command.args(["--test-threads", "1", "--exact", test]);
        self.watch(command, Reading::new(vec![test.to_owned()], 1))
    }

    /// In the order in which libtest runs them.
    fn tests(&self) -> Result<Vec<String>> {
        let mut list = self.command();
        list.args(["--list", "--format", "terse"]).args(&self.only);
        let output = list.output().with_context(|| format!("cannot run {}", self.program.path.display()))?;
        if !output.status.success() {
            bail!("{} --list: {}", self.program.path.display(), output.status);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    /// As cargo runs it.
    fn command(&self) -> Command {
        let mut command = Command::new("nice");
        command.args(["-n", &self.nice.to_string()]).arg(&self.program.path);
        command.current_dir(&self.program.folder).env("CARGO_MANIFEST_DIR", &self.program.folder);
        // A report keeps the last lines of a program: those of a panic, and not of its stack.
        command.env("RUST_BACKTRACE", "0").envs(self.variable);
        command
    }

    fn watch(self, mut command: Command, mut reading: Reading) -> Result<Outcome> {
        let (reader, writer) = io::pipe().context("no pipe")?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.name()))?;
        // The command holds the writing end, and the pipe would never end.
        drop(command);
        let lines = lines(reader);
        let status = loop {
            match lines.recv_timeout(SILENCE) {
                Ok(line) => {
                    reading.line(&line, start.elapsed());
                    if LOUD.iter().any(|word| line.contains(word)) {
                        println!("{}: {line}", self.name());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break Some(child.wait()?),
                Err(RecvTimeoutError::Timeout) => break hung(&mut child)?,
            }
        };
        let end = End::of(status, &reading.failed);
        Ok(Outcome { job: self, reading, end, time: start.elapsed() })
    }
}

/// The lines that a program prints, until nobody can write any more.
fn lines(reader: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            // Tests print what hostile clients sent.
            if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// Ends a program that says nothing, unless it has ended and something that it started holds its output open.
fn hung(child: &mut std::process::Child) -> Result<Option<ExitStatus>> {
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
