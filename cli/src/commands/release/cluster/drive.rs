//! Drives a release until it is over: does what is next, writes it down, tells people.
//!
//! Nobody judges a canary whose driver is gone. So Ctrl-C, and closing the terminal, stop the release: the old version gets every
//! request back. After SIGKILL, the next `lab release start` or `abort` continues.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use observe::ControlRoom;
use release::{
    Run,
    drive::{PERIOD, Turn, turn},
    run::{Event, Refused, What},
    view::news,
};
use serde_json::json;
use switchboard::Cluster;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{journal::Journal, shown, world::There};
use crate::{
    commands::release::print,
    installation::{Installation, Reached},
    signals::{self, Hangup},
    terminal::{out, say},
};

/// Drives the release that is under way until it is over.
///
/// # Errors
/// When its file cannot be written, or a second Ctrl-C leaves it as it is.
pub(super) async fn drive(there: &There<'_>, journal: &mut Journal, mut teller: Teller<'_>) -> Result<Run> {
    let (stop, leave) = (CancellationToken::new(), CancellationToken::new());
    let words = "\nstopping the release: the old version gets every request back (again: leaves it as it is)";
    tokio::spawn(signals::listen(stop.clone(), leave.clone(), Hangup::Ends, words));
    match leave.run_until_cancelled(to_the_end(there, journal, &mut teller, &stop)).await {
        Some(ended) => ended,
        None => {
            bail!("the release is left as it is, and nobody judges it: lab release abort or start continues")
        }
    }
}

async fn to_the_end(
    there: &There<'_>,
    journal: &mut Journal,
    teller: &mut Teller<'_>,
    stop: &CancellationToken,
) -> Result<Run> {
    loop {
        journal.refresh()?;
        let run = journal.runs().last().context("there is no release to drive")?.clone();
        teller.progress(&run)?;
        let (event, pause) = match next(there, &run, stop).await {
            Ok(Turn::Over) => return Ok(run),
            Ok(Turn::Wait(pause)) => (None, pause),
            Ok(Turn::Record(what)) => {
                let pause = if matches!(*what, What::Measured { .. }) { PERIOD } else { Duration::ZERO };
                (Some(what.at(Utc::now())), pause)
            }
            Err(error) => {
                teller.complain(&format!("{error:#}"));
                (None, PERIOD)
            }
        };
        if let Some(event) = event {
            match journal.record(&event) {
                Ok(()) => teller.tell(journal.runs().last().unwrap_or(&run), &event).await,
                // A person was quicker: something else is next.
                Err(error) if error.is::<Refused>() => {}
                Err(error) => return Err(error),
            }
        }
        if stop.is_cancelled() {
            sleep(pause).await;
        } else {
            // A wish to stop waits for nothing.
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }
}

/// What is next: to stop, once, if somebody wants that.
async fn next(there: &There<'_>, run: &Run, stop: &CancellationToken) -> Result<Turn> {
    if stop.is_cancelled() && run.end().is_none() && run.state() != "rolling-back" {
        let (by, why) = (run.plan().by.clone(), "the terminal that drove it was interrupted".to_owned());
        return Ok(Turn::Record(Box::new(What::Aborted { by, why })));
    }
    turn(there, run, Utc::now()).await
}

/// Tells people: the terminal, and the control room.
pub(super) struct Teller<'a> {
    place: &'a Installation,
    cluster: &'a Cluster,
    /// Whether the terminal is for a program.
    quiet: bool,
    room: Option<Reached<ControlRoom>>,
    /// The newest line, and the newest complaint.
    told: (String, String),
}

impl<'a> Teller<'a> {
    pub(super) fn new(place: &'a Installation, cluster: &'a Cluster, quiet: bool) -> Self {
        Self { place, cluster, quiet, room: None, told: (String::new(), String::new()) }
    }

    /// A line if there is news.
    pub(super) fn progress(&mut self, run: &Run) -> Result<()> {
        let line = print::progress(&shown(run)?);
        if line != self.told.0 && !self.quiet {
            out!("{}  {line}", Utc::now().format("%H:%M:%S"));
        }
        self.told.0 = line;
        Ok(())
    }

    /// What does not work, once.
    fn complain(&mut self, words: &str) {
        if self.told.1 != words {
            say(format_args!("lab: {words}"));
            words.clone_into(&mut self.told.1);
        }
    }

    /// A change of the system, beside the incidents. The release is what matters: without a control room it continues.
    pub(super) async fn tell(&mut self, run: &Run, event: &Event) {
        let Some(text) = news(run, event) else { return };
        if let Err(error) = self.enqueue(run, event, &text).await {
            self.complain(&format!("the control room does not know of this step: {error:#}"));
        }
    }

    async fn enqueue(&mut self, run: &Run, event: &Event, text: &str) -> Result<()> {
        let room = match self.room.take() {
            Some(room) => room,
            None => self.place.control_room_of(self.cluster).await?,
        };
        let body = json!({
            "routing_key": self.place.control_room_token().unwrap_or("lab"),
            "payload": {
                "summary": text,
                "source": run.plan().by,
                "timestamp": event.at.to_rfc3339(),
                "component": run.plan().service,
                "class": "release",
            },
        });
        room.post("/v2/change/enqueue", &body).await?;
        self.room = Some(room);
        Ok(())
    }
}
