//! A run in progress: what is known of it, and what each row of its events changes.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use drill::{
    Drill, Event, Phase, Run, What,
    engine::{Mode, Responder, Start},
};
use serde::{Deserialize, Serialize};

use super::pauses::Pauses;

/// What a row is about. Times are those of the run, of pauses those of the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub(super) enum Happened {
    /// An event of the engine.
    Event(What),
    /// What was looked at, all at once.
    Looks(Vec<Seen>),
    /// An instructor paused it.
    Paused,
    /// It is in progress.
    Resumed,
}

/// What a look showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Which look.
    pub(super) look: String,
    /// Whether the condition holds.
    pub(super) holds: bool,
    /// What came back.
    pub(super) seen: String,
}

/// Something to write down.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// Who did it or saw it.
    pub(super) by: String,
    /// What.
    pub(super) what: Happened,
}

/// A run in progress.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// Its number.
    pub(super) id: i64,
    /// The drill.
    pub(super) drill: Arc<Drill>,
    /// Who responds; in a verification, who asked for it.
    pub(super) responder: String,
    /// Whether the responder must not know which drill it is.
    pub(super) mystery: bool,
    /// Number of the last row of the journal from which something followed.
    pub(super) followed: i64,
    /// The machine.
    pub(super) run: Run,
    /// When it stood still.
    pub(super) pauses: Pauses,
    /// The phase that listeners know of.
    pub(super) announced: Phase,
}

impl Entry {
    /// An event of the engine.
    pub(super) fn event(at: DateTime<Utc>, by: impl Into<String>, what: What) -> Self {
        Self { at, by: by.into(), what: Happened::Event(what) }
    }
}

/// As the file keeps it, so that a replay has the same times.
pub(super) fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

impl Live {
    /// A run that begins.
    pub(super) fn new(
        id: i64,
        drill: Arc<Drill>,
        responder: String,
        mystery: bool,
        start: Start,
        followed: i64,
    ) -> Self {
        let run = Run::new(Arc::clone(&drill), start);
        let pauses = Pauses::default();
        Self { id, drill, responder, mystery, followed, run, pauses, announced: Phase::Baseline }
    }

    /// Takes a row.
    pub(super) fn take(&mut self, entry: &Entry) {
        let mut apply = |what: What| self.run.apply(&Event { at: entry.at, by: entry.by.clone(), what });
        match &entry.what {
            Happened::Event(what) => apply(what.clone()),
            Happened::Looks(all) => {
                for Seen { look, holds, seen } in all.iter().cloned() {
                    apply(What::Looked { look, holds, seen });
                }
            }
            Happened::Paused => self.pauses.begin(entry.at),
            Happened::Resumed => self.pauses.end(entry.at),
        }
    }

    /// The time of the run.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.at(Utc::now())
    }

    /// The time of the run at a time of the clock.
    pub(super) fn at(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        whole(self.pauses.run_time(wall))
    }

    /// The time of the clock at a time of the run.
    pub(super) fn wall(&self, run_time: DateTime<Utc>) -> DateTime<Utc> {
        self.pauses.wall(run_time, Utc::now())
    }

    /// Where it is.
    pub(super) fn phase(&self) -> Phase {
        self.run.phase(self.now())
    }

    /// Whether it stands still.
    pub(super) fn is_paused(&self) -> bool {
        self.pauses.is_on(Utc::now())
    }

    /// What a verification tries; none in a run of a person or an agent.
    pub(super) fn verifies(&self) -> Option<Responder> {
        verifies(&self.run.start().mode)
    }
}

/// What a verification tries.
pub(super) const fn verifies(mode: &Mode) -> Option<Responder> {
    match mode {
        Mode::Verify { responder } => Some(*responder),
        Mode::Person { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let seen = Seen { look: "signal[0]".to_owned(), holds: true, seen: "0.4".to_owned() };
        for row in [
            Happened::Event(What::Done { action: "fault[0]".to_owned() }),
            Happened::Looks(vec![seen]),
            Happened::Paused,
            Happened::Resumed,
        ] {
            let text = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<Happened>(&text).unwrap(), row, "{text}");
        }
        assert_eq!(json!(Happened::Paused), json!({ "kind": "paused" }));
    }
}
