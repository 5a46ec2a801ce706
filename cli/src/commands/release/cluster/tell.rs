//! Tells people how a release goes: the terminal in lines, and the control room event by event, so that its pages and figures have
//! the releases of its cluster. The file of events is what counts: whatever the control room has missed, it is told later.
//!
//! The control room takes a start, a continuation or an abort only from the person who did it, so each is told under that
//! person's name.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use observe::ControlRoom;
use release::{Run, run::Event};
use serde_json::json;
use switchboard::Cluster;
use tokio::time::{Instant, sleep, timeout};

use super::{
    SOMEBODY,
    journal::{Journal, number},
    shown,
};
use crate::{
    commands::release::print,
    installation::{Installation, Reached},
    terminal::{out, say},
};

/// Longest wait for the control room: a canary is judged every second.
const PATIENCE: Duration = Duration::from_secs(5);
/// After it did not answer, it is asked again only after this time.
const PAUSE: Duration = Duration::from_secs(15);
/// Events of one request: a release has about one per second, of about 2 KB.
const MOST: usize = 500;
/// How often it is tried to tell the last events, and how long after each other: only the next release would tell them later.
const ATTEMPTS: usize = 3;
const EVERY: Duration = Duration::from_secs(2);

/// Tells people: the terminal, and the control room.
pub(super) struct Teller<'a> {
    place: &'a Installation,
    cluster: &'a Cluster,
    /// Whether the terminal is for a program.
    quiet: bool,
    room: Option<Reached<ControlRoom>>,
    /// The newest line, and the newest complaint.
    told: (String, String),
    /// How many events of which release the control room knows.
    known: (String, usize),
    /// When the control room may be asked again.
    again: Option<Instant>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(place: &'a Installation, cluster: &'a Cluster, quiet: bool) -> Self {
        let (told, known) = ((String::new(), String::new()), (String::new(), 0));
        Self { place, cluster, quiet, room: None, told, known, again: None }
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
    pub(super) fn complain(&mut self, words: &str) {
        if self.told.1 != words {
            say(format_args!("lab: {words}"));
            words.clone_into(&mut self.told.1);
        }
    }

    /// Tells the control room what it does not know of the newest release. The release is what matters: without a control room it
    /// continues.
    pub(super) async fn report(&mut self, journal: &Journal) {
        if self.again.is_none_or(|again| Instant::now() >= again) {
            self.try_report(journal).await;
        }
    }

    /// The same for the last events.
    pub(super) async fn close(&mut self, journal: &Journal) {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(EVERY).await;
            }
            if self.try_report(journal).await {
                return;
            }
        }
    }

    /// The greatest number of a release that the control room knows; 0 if nobody can say.
    pub(super) async fn newest(&mut self) -> u64 {
        match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(newest)) => newest,
            Ok(Err(_)) | Err(_) => 0,
        }
    }

    async fn try_report(&mut self, journal: &Journal) -> bool {
        let done = match timeout(PATIENCE, self.tell(journal)).await {
            Ok(done) => done.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
        };
        self.again = done.is_err().then(|| Instant::now() + PAUSE);
        if let Err(why) = &done {
            self.complain(&format!("the control room does not know all of this release: {why}"));
        }
        done.is_ok()
    }

    async fn tell(&mut self, journal: &Journal) -> Result<()> {
        let Some(run) = journal.runs().last() else { return Ok(()) };
        let (id, events) = (&run.plan().id, journal.events());
        if self.known.0 != *id {
            // What it knows already may be another person's: it is not told again.
            let mut known = self.put(id, 0, &[], None).await?;
            if known > 0 {
                // The start shows whether it is this release: it is refused if the number is that of another one.
                known = self.put(id, 0, &events[..1], None).await?;
            }
            self.known = (id.clone(), known);
        }
        while self.known.1 < events.len() {
            let from = self.known.1;
            let (count, person) = together(&events[from..]);
            self.known.1 = self.put(id, from, &events[from..from + count], person).await?;
            if self.known.1 == from {
                bail!("it did not take event {from} of {id}");
            }
        }
        Ok(())
    }

    /// Tells some events under a person's name, `from` others come before them. How many events are known then.
    async fn put(&mut self, id: &str, from: usize, some: &[Event], person: Option<&str>) -> Result<usize> {
        let person = person.filter(|name| *name != SOMEBODY).map(str::to_owned);
        let room = self.room().await?.map(|room| room.acting_as(person));
        let path = format!("/api/v1/releases/{id}/events");
        let answer = room.put(&path, &json!({ "from": from, "events": some })).await?;
        // After a failure, the way there is opened again.
        self.room = Some(room);
        let known = answer["known"].as_u64().context("it does not say what it knows")?;
        Ok(usize::try_from(known)?)
    }

    async fn ask(&mut self) -> Result<u64> {
        let room = self.room().await?;
        let all = room.get("/api/v1/releases", &[("limit", "1")]).await?;
        self.room = Some(room);
        Ok(all["releases"][0]["id"].as_str().and_then(number).unwrap_or_default())
    }

    async fn room(&mut self) -> Result<Reached<ControlRoom>> {
        match self.room.take() {
            Some(room) => Ok(room),
            None => self.place.control_room_of(self.cluster).await,
        }
    }
}

/// How many of these events one request tells, and under whose name, if they have one.
fn together(events: &[Event]) -> (usize, Option<&str>) {
    let mut person: Option<&str> = None;
    for (count, event) in events.iter().take(MOST).enumerate() {
        for name in event.what.signed() {
            if count > 0 && person.is_some_and(|known| known != name) {
                return (count, person);
            }
            person = Some(name);
        }
    }
    (events.len().min(MOST), person)
}
