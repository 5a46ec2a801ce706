//! Backup, verification and pruning, one after the other, from time to time; at once if only a new backup covers what the
//! server writes, as after a restore.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use recovery::Uncovered;

use super::BackupPlace;
use crate::{home::Home, terminal::say};

/// The steps of a round, the last one first.
const ROUND: &[&[&str]] = &[&["prune"], &["verify"], &["run"]];
/// Pause before a round is tried again whose backup was not made.
const AGAIN: Duration = Duration::from_secs(30);

/// The rounds, in processes of their own: the archive does not wait for them, and their memory is given back.
pub(super) struct Task<'a> {
    place: &'a BackupPlace,
    home: &'a Home,
    rounds: Rounds,
    child: Option<Child>,
}

impl<'a> Task<'a> {
    /// The first round is due.
    pub(super) fn new(place: &'a BackupPlace, home: &'a Home, every: Duration) -> Self {
        Self { place, home, rounds: Rounds::new(every, Instant::now()), child: None }
    }

    /// Makes a round due for what no backup covers.
    pub(super) fn hasten(&mut self, uncovered: &Uncovered) {
        if self.rounds.hasten(uncovered, Instant::now()) {
            say(format!("backup {} does not cover {}: making a new one", uncovered.base, uncovered.what));
        }
    }

    /// Starts the next step if the one before has ended and something is due.
    pub(super) fn go_on(&mut self) {
        if let Some(child) = &mut self.child {
            match child.try_wait() {
                Ok(None) => return,
                Ok(Some(status)) if status.success() => {}
                // A backup that failed is not verified; one that is not good must not lead to pruning.
                _ => self.rounds.end(),
            }
            self.child = None;
        }
        let Some(step) = self.rounds.next(Instant::now()) else { return };
        match self.start(step) {
            Ok(child) => self.child = Some(child),
            Err(error) => say(format!("cannot start lab backup {}: {error:#}", step.join(" "))),
        }
    }

    fn start(&self, step: &[&str]) -> Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--root").arg(&self.home.root).arg("--dir").arg(self.home.dir.as_os_str());
        command.arg("backup").args(step);
        if let Some(repository) = &self.place.repository {
            command.arg("--repository").arg(repository);
        }
        if let Some(key) = &self.place.key {
            command.arg("--key").arg(key);
        }
        command.stdin(Stdio::null()).spawn().context("cannot run lab")
    }
}

/// When a round is due, and what is left of it.
struct Rounds {
    every: Duration,
    due: Instant,
    left: Vec<&'static [&'static str]>,
    /// For what a round was hastened last, and when.
    hastened: Option<(Uncovered, Instant)>,
}

impl Rounds {
    const fn new(every: Duration, now: Instant) -> Self {
        Self { every, due: now, left: Vec::new(), hastened: None }
    }

    /// The step to start now, if there is one.
    fn next(&mut self, now: Instant) -> Option<&'static [&'static str]> {
        if self.left.is_empty() && now >= self.due {
            self.due = now + self.every;
            self.left = ROUND.to_vec();
        }
        self.left.pop()
    }

    /// Ends the round before its time.
    fn end(&mut self) {
        self.left.clear();
    }

    /// Makes a round due; returns whether it did. Not during a round, which may be making that backup; not again if a
    /// newer backup has changed nothing; and not at once if there is no newer one.
    fn hasten(&mut self, uncovered: &Uncovered, now: Instant) -> bool {
        let waits = match &self.hastened {
            Some((last, at)) if last.what == uncovered.what => {
                last.base != uncovered.base || now < *at + AGAIN
            }
            _ => false,
        };
        if waits || !self.left.is_empty() {
            return false;
        }
        self.due = now;
        self.hastened = Some((uncovered.clone(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(600);
    const SECOND: Duration = Duration::from_secs(1);

    fn timeline(number: u32, base: &str) -> Uncovered {
        Uncovered { base: base.to_owned(), what: format!("timeline {number}") }
    }

    /// Takes all steps of a round.
    fn round(rounds: &mut Rounds, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| rounds.next(now)).flatten().copied().collect()
    }

    #[test]
    fn a_round_is_due_at_the_start_and_after_each_interval() {
        let start = Instant::now();
        let mut rounds = Rounds::new(EVERY, start);
        assert_eq!(round(&mut rounds, start), ["run", "verify", "prune"]);
        assert_eq!(rounds.next(start + EVERY - SECOND), None);
        assert_eq!(rounds.next(start + EVERY), Some(&["run"][..]));
        rounds.end();
        assert_eq!(rounds.next(start + EVERY), None, "a backup that failed is not verified");
    }

    #[test]
    fn a_new_timeline_is_backed_up_at_once_and_each_one_once() {
        let start = Instant::now();
        let mut rounds = Rounds::new(EVERY, start);
        assert_eq!(rounds.next(start), Some(&["run"][..]));
        assert!(!rounds.hasten(&timeline(2, "a"), start), "the round may be making that backup");
        rounds.end();
        assert!(rounds.hasten(&timeline(2, "a"), start));
        assert_eq!(round(&mut rounds, start), ["run", "verify", "prune"]);
        assert!(!rounds.hasten(&timeline(2, "b"), start + AGAIN), "a newer backup has changed nothing");
        assert!(rounds.hasten(&timeline(3, "b"), start + SECOND), "the next restore");
    }

    #[test]
    fn a_backup_that_could_not_be_made_is_tried_again_after_a_pause() {
        let start = Instant::now();
        let mut rounds = Rounds::new(EVERY, start);
        round(&mut rounds, start);
        assert!(rounds.hasten(&timeline(2, "a"), start));
        assert_eq!(rounds.next(start), Some(&["run"][..]));
        rounds.end();
        assert!(!rounds.hasten(&timeline(2, "a"), start + SECOND));
        assert!(rounds.hasten(&timeline(2, "a"), start + AGAIN));
    }
}
