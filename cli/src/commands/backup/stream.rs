//! The part `backup` of `lab up --backups`: archives the write-ahead log every second, and from time to time makes a
//! backup, verifies it, and prunes ([`super::rounds`]). It never ends by itself: what fails is said once, and tried again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use clap::Args;
use recovery::{Uncovered, uncovered};
use tokio_util::sync::CancellationToken;

use super::{BackupPlace, rounds::Task};
use crate::{
    backup::{
        Engine, is_bucket,
        listing::list,
        metrics::{self, Watch},
        ship::{BEHIND, Shipper},
    },
    home::Home,
    signals::{self, Hangup},
    terminal::say,
};

/// How often what is new is archived: this, and the moment that the stream is behind, is what a disaster costs.
const EVERY: Duration = Duration::from_millis(1_000);
/// How often Prometheus is told; as often as it looks.
const TELL: Duration = Duration::from_secs(5);
/// Pause after the stream ended, before it is started again.
const AGAIN: Duration = Duration::from_millis(500);

/// Archives the write-ahead log.
#[derive(Debug, Args)]
pub(super) struct Stream {
    /// PostgreSQL's port.
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// Time from one backup to the next.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    every: Duration,
    /// Written when the first of the WAL is archived.
    #[arg(long, value_name = "FILE")]
    ready: PathBuf,
}

/// Says a failure once, and again only after something else.
#[derive(Default)]
struct Voice(String);

impl Voice {
    fn heard(&mut self, outcome: Result<()>) {
        let sentence = outcome.err().map(|error| format!("{error:#}")).unwrap_or_default();
        if sentence != self.0 && !sentence.is_empty() {
            say(&sentence);
        }
        self.0 = sentence;
    }
}

impl Stream {
    pub(super) async fn run(self, place: &BackupPlace, home: &Home) -> Result<ExitCode> {
        let stop = CancellationToken::new();
        tokio::spawn(signals::listen(
            stop.clone(),
            CancellationToken::new(),
            Hangup::Ends,
            "backup: stopping",
        ));
        let _ = fs::remove_file(&self.ready);
        let folder = place.repository.iter().filter(|place| !is_bucket(place)).map(Path::new);
        let mut paths = folder.chain(place.key.as_deref());
        if let Some(path) = paths.find(|path| path.is_relative()) {
            bail!("LAB_BACKUPS and LAB_BACKUP_KEY must be absolute paths, and {} is not", path.display());
        }
        let engine = place.engine(home)?;
        let mut shipper = Shipper::new(&engine.spool, engine.source.segment_bytes);
        let (mut shipping, mut receiving) = (Voice::default(), Voice::default());
        let mut telling = Voice::default();
        let mut told: Option<Instant> = None;
        let mut watch = self.watch(place);
        let mut receiver: Option<Child> = None;
        let mut task = Task::new(place, home, self.every);
        while !stop.is_cancelled() {
            let live = running(&mut receiver);
            if !live {
                receiving.heard(self.receive(&engine, &mut receiver));
            }
            let shipped = shipper.ship(&engine.vault, Utc::now(), live);
            let fine = shipped.is_ok() && live && shipper.begun();
            shipping.heard(shipped.map(drop));
            if fine && !self.ready.exists() {
                fs::write(&self.ready, "")
                    .with_context(|| format!("cannot write {}", self.ready.display()))?;
            }
            if fine {
                watch.archived = Some(Utc::now() - BEHIND);
                task.go_on();
            }
            if told.is_none_or(|told| told.elapsed() >= TELL) {
                told = Some(Instant::now());
                watch.key = engine.has_key();
                let uncovered = tell(&engine, home, watch);
                if let Ok(Some(uncovered)) = &uncovered {
                    task.hasten(uncovered);
                }
                telling.heard(uncovered.map(drop));
            }
            stop.run_until_cancelled(tokio::time::sleep(if live { EVERY } else { AGAIN })).await;
        }
        if let Some(mut receiver) = receiver {
            // It flushes what it has; the supervisor ends what is left.
            end(&mut receiver);
        }
        shipping.heard(shipper.ship(&engine.vault, Utc::now(), false).map(drop));
        say(format!("backup: stopped; backups are in {}", engine.vault.store.place()));
        Ok(ExitCode::SUCCESS)
    }

    /// What is known before anything has arrived.
    fn watch(&self, place: &BackupPlace) -> Watch {
        Watch {
            since: Utc::now(),
            interval: self.every.as_secs_f64(),
            archived: None,
            key: true,
            bucket: place.repository.as_deref().is_some_and(is_bucket),
        }
    }

    fn receive(&self, engine: &Engine, receiver: &mut Option<Child>) -> Result<()> {
        *receiver = Some(engine.receive(self.port)?);
        Ok(())
    }
}

/// Says what there is, for Prometheus; returns what only a new backup covers.
fn tell(engine: &Engine, home: &Home, watch: Watch) -> Result<Option<Uncovered>> {
    let listing = list(&engine.vault, engine.source.segment_bytes)?;
    metrics::write(&metrics::folder(home), watch, &listing.catalogue)?;
    Ok(uncovered(&listing.catalogue))
}

fn running(receiver: &mut Option<Child>) -> bool {
    receiver.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
}

fn end(receiver: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(receiver.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::INT);
    }
    let _ = receiver.wait();
}
