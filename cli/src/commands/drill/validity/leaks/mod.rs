//! Whether anything gives a drill away: every byte that a trainee can read is gathered twice, while all is
//! well and while the drill's faults are on, and what is new is searched for the faults' names and their
//! telling words.
//!
//! What the same pieces of text said before is no tell: the catalogue of faults, runbooks and the names of
//! metrics are always there.

mod machine;
mod needles;
mod web;

use std::collections::BTreeSet;

use anyhow::Result;
use drill::{Drill, model::FaultKind};
use supervisor::state::LabState;

pub(crate) use self::needles::Found;
use self::{
    machine::Marks,
    needles::{Needles, Place},
    web::Reader,
};
use crate::home::Home;

/// Most findings of one source: the same words in a thousand lines are one finding.
const MOST: usize = 3;

/// Something that a trainee can read.
struct Text {
    /// The file or the address.
    from: String,
    /// Number of its first line.
    first_line: usize,
    body: String,
}

/// A scan that has seen the lab while all was well.
pub(super) struct Scan {
    home: Home,
    room: String,
    drill: String,
    needles: Needles,
    marks: Marks,
    known: BTreeSet<(String, String)>,
    /// What did not answer even then.
    silent: BTreeSet<String>,
    /// Parts that the drill stops: that they say nothing is what everybody sees.
    stopped: Vec<String>,
}

/// What a scan found.
pub(super) struct Leaks {
    pub(super) found: Vec<Found>,
    /// How much was read, in bytes.
    pub(super) read: usize,
    /// What could not be read at all, and what is open to everybody, in sentences.
    pub(super) notes: Vec<String>,
    /// What does not answer any more: nobody knows what it says.
    pub(super) silent: Vec<String>,
    /// Whether the switches require a token; without one they tell everybody, and were left out.
    pub(super) closed: bool,
}

impl Scan {
    /// Looks at the healthy lab.
    ///
    /// # Errors
    /// When no lab runs here.
    pub(super) async fn begin(home: &Home, room: &str, drill: &Drill) -> Result<Self> {
        let stopped = drill.faults.iter().filter(|fault| fault.kind == FaultKind::Part);
        let mut scan = Self {
            stopped: stopped.map(|fault| fault.service.clone()).collect(),
            home: home.clone(),
            room: room.to_owned(),
            drill: drill.id.clone(),
            needles: Needles::of(drill),
            marks: Marks::of(home),
            known: BTreeSet::new(),
            silent: BTreeSet::new(),
        };
        let (texts, silent) = scan.gather().await?;
        scan.silent = silent;
        let places: Vec<Place> = scan.places(&texts);
        scan.known = places.into_iter().map(|place| (place.found.word, place.piece)).collect();
        Ok(scan)
    }

    /// Looks at the lab with the faults on.
    ///
    /// # Errors
    /// As [`Scan::begin`].
    pub(super) async fn end(&mut self) -> Result<Leaks> {
        let (texts, silent) = self.gather().await?;
        let new = self.places(&texts).into_iter();
        let new = new.filter(|place| !self.known.contains(&(place.found.word.clone(), place.piece.clone())));
        let mut found: Vec<Found> = Vec::new();
        for place in new {
            let same = |one: &&Found| one.from == place.found.from && one.word == place.found.word;
            if found.iter().filter(same).count() < MOST {
                found.push(place.found);
            }
        }
        let read = texts.iter().map(|text| text.body.len()).sum();
        let state = self.home.lab()?;
        let silent = silent.difference(&self.silent).filter(|from| !is_of(&self.stopped, &state, from));
        let silent = silent.cloned().collect();
        Ok(Leaks { found, read, notes: self.notes(), silent, closed: self.home.token.is_some() })
    }

    fn places(&self, texts: &[Text]) -> Vec<Place> {
        texts.iter().flat_map(|text| self.needles.places(&text.from, text.first_line, &text.body)).collect()
    }

    /// What the scan does not cover.
    fn notes(&self) -> Vec<String> {
        let open = "the switches are open to everybody: `lab up --faults-token` closes them";
        let open = self.home.token.is_none().then(|| open.to_owned());
        let unread = self.silent.iter().map(|from| format!("{from}: not installed, or it never answered"));
        open.into_iter().chain(unread).collect()
    }

    /// All texts, and what does not answer.
    async fn gather(&mut self) -> Result<(Vec<Text>, BTreeSet<String>)> {
        let state = self.home.lab()?;
        let reader = Reader::new();
        let mut texts = reader.read(&state, &self.room, &self.drill, self.home.token.is_some()).await;
        let mut silent = reader.silent();
        texts.extend(machine::processes(&state));
        texts.extend(machine::files(&self.home));
        texts.extend(machine::of_stores(&self.home, &state, &mut silent));
        texts.extend(self.marks.read(&self.home));
        Ok((texts, silent))
    }
}

/// Whether an address, or what stands for one, is that of one of these parts.
fn is_of(parts: &[String], state: &LabState, from: &str) -> bool {
    parts.iter().any(|part| match part.as_str() {
        "postgres" => from.starts_with("PostgreSQL"),
        part => state.port(part).is_some_and(|port| from.starts_with(&format!("http://127.0.0.1:{port}/"))),
    })
}
