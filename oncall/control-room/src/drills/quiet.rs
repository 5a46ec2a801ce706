//! Incidents that are only a rehearsal: the alerts of a verification open them, and nobody works on them.
//! They reach the phone of this machine, because that is part of what is proven, and nothing beyond it. They
//! are dismissed at the end, so that the next drill begins clean and no statistic counts them.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Id, Incident, Source, State, What};

use super::{
    Drills,
    live::{Live, verifies},
    rows::Kept,
};
use crate::{error::Result, room::Room};

/// How long after a verification an alert may still be one of it: a ticket waits for its group, and a rule
/// looks back.
const TAIL: TimeDelta = TimeDelta::seconds(30);
/// Ended incidents that may have to be dismissed.
const RECENT: usize = 100;

/// A time in which alerts are those of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quiet {
    /// The start of the first verification.
    since: DateTime<Utc>,
    /// The end of the tail; none while a verification is in progress.
    until: Option<DateTime<Utc>>,
}

impl Quiet {
    /// After a crash: as long as the verification lasts, or until the tail of the last one is over. `ended` are
    /// the runs before, the newest first.
    pub(super) fn recalled(live: Option<&Live>, ended: &[Kept]) -> Option<Self> {
        let (mut since, until) = match live {
            Some(live) => {
                live.verifies()?;
                (live.run.start().at, None)
            }
            None => {
                let last = ended.first()?;
                (last.start.at, Some(faded(last)?))
            }
        };
        // One after another, verifications are one long rehearsal.
        for kept in ended {
            let joins = faded(kept).is_some_and(|until| until >= since);
            if !joins {
                break;
            }
            since = since.min(kept.start.at);
        }
        Some(Self { since, until })
    }

    fn is_over(self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// When the tail of a verification is over; none for the run of a person.
fn faded(kept: &Kept) -> Option<DateTime<Utc>> {
    verifies(&kept.start.mode)?;
    Some(kept.end.as_ref()?.at + TAIL)
}

impl Drills {
    /// Whether a verification is in progress, or its last alerts may still come. Nothing else should act on the
    /// system then.
    #[must_use]
    pub fn is_rehearsing(&self) -> bool {
        self.quiet().is_some_and(|quiet| !quiet.is_over(Utc::now()))
    }

    /// Whether an incident is part of a verification. One that a person opened is not.
    #[must_use]
    pub fn rehearses(&self, incident: &Incident) -> bool {
        let of = |quiet: Quiet| incident.opened_at >= quiet.since && !quiet.is_over(incident.opened_at);
        self.quiet().is_some_and(of) && !is_by_person(incident)
    }

    fn quiet(&self) -> Option<Quiet> {
        *self.0.quiet.lock()
    }

    /// A run begins. One after another, verifications are one long rehearsal.
    pub(super) fn hush(&self, live: &Live) {
        let mut quiet = self.0.quiet.lock();
        *quiet = match live.verifies() {
            Some(_) => {
                let since = quiet.map_or(live.run.start().at, |known| known.since);
                Some(Quiet { since, until: None })
            }
            None => None,
        };
    }

    /// A verification is over.
    pub(super) fn fade(&self, now: DateTime<Utc>) {
        if let Some(quiet) = self.0.quiet.lock().as_mut() {
            quiet.until = Some(now + TAIL);
        }
    }

    /// When the tail ends, if there is one.
    pub(super) fn fades_at(&self) -> Option<DateTime<Utc>> {
        self.quiet()?.until
    }

    /// Dismisses what is only a rehearsal, and ends the tail if its time has come.
    pub(super) async fn tidy(&self, room: &Room) -> Result<()> {
        let open = room.desk.open_ones().into_iter().chain(room.desk.recent(RECENT));
        let rehearsed: Vec<Id> = open.filter(|one| self.rehearses(one)).map(|one| one.id).collect();
        for id in rehearsed {
            dismiss(room, id, "it belonged to a verification of a drill").await?;
        }
        let mut quiet = self.0.quiet.lock();
        if quiet.is_some_and(|quiet| quiet.is_over(Utc::now())) {
            *quiet = None;
        }
        Ok(())
    }
}

/// Dismisses an incident, whatever became of it meanwhile: one that is resolved would count.
async fn dismiss(room: &Room, id: Id, why: &str) -> Result<()> {
    let incident = room.desk.get(id).await?;
    let moved = |to: State| What::Moved { to, why: why.to_owned() };
    let moves = match incident.state {
        State::Triage | State::Active => vec![moved(State::Dismissed)],
        State::Mitigated | State::Resolved => vec![moved(State::Active), moved(State::Dismissed)],
        State::Closed | State::Dismissed => return Ok(()),
    };
    room.desk.act_all(id, Source::ControlRoom, moves).await?;
    Ok(())
}

/// Dismisses what was left before a drill begins to break things: its alerts would join it.
pub(super) async fn clear_away(room: &Room) -> Result<()> {
    let since = Utc::now() - TimeDelta::minutes(1);
    let left = room.desk.recent(RECENT).into_iter();
    let left = left.filter(|one| !one.state.is_final() && one.changed_at >= since && !is_of_person(one));
    for incident in left {
        dismiss(room, incident.id, "nobody worked on it, and a drill begins").await?;
    }
    Ok(())
}

/// Whether a person or an agent opened it.
fn is_by_person(incident: &Incident) -> bool {
    let opening = incident.timeline.iter().find(|entry| entry.kind == EntryKind::State);
    opening.is_some_and(|entry| is_person(&entry.source))
}

/// Whether a person or an agent has anything to do with it.
pub(super) fn is_of_person(incident: &Incident) -> bool {
    incident.timeline.iter().any(|entry| is_person(&entry.source))
}

/// Whether a person or an agent said it.
pub(super) const fn is_person(source: &Source) -> bool {
    matches!(source, Source::Person(_) | Source::Agent(_))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use drill::{
        Mode,
        engine::{Responder, Start},
    };
    use incident::{Event, Severity};

    use super::*;
    use crate::drills::rows::End;

    /// A run of a minute that began `ago` seconds ago.
    fn kept(mode: Mode, ago: i64) -> Kept {
        let at = Utc::now() - TimeDelta::seconds(ago);
        let (services, replicas) = (Vec::new(), BTreeMap::new());
        let start =
            Start { at, mode, seed: 1, services, replicas, seen: false, follows: None, variant: None };
        let verdict = "passed".to_owned();
        let end = End { at: at + TimeDelta::seconds(60), verdict, score: None, outcome: None, curve: None };
        Kept {
            id: 1,
            drill: "first-page".to_owned(),
            file: String::new(),
            mystery: false,
            responder: "ben".to_owned(),
            start,
            followed: 0,
            end: Some(end),
            learned: None,
        }
    }

    #[test]
    fn the_tail_of_a_verification_outlives_a_crash_and_that_of_a_person_is_none() {
        let proof = || Mode::Verify { responder: Responder::Solution };
        let last = kept(proof(), 70);
        let quiet = Quiet::recalled(None, &[last.clone(), kept(proof(), 150), kept(proof(), 900)]).unwrap();
        assert!(!quiet.is_over(Utc::now()), "it ended ten seconds ago");
        let since = (last.start.at - quiet.since).num_seconds();
        assert!((79..=81).contains(&since), "the one before is part of it, the first one is not: {since} s");
        assert!(Quiet::recalled(None, &[kept(proof(), 900)]).unwrap().is_over(Utc::now()));
        let person = Mode::Person { name: "ada".to_owned() };
        assert_eq!(Quiet::recalled(None, &[kept(person, 5), last]), None);
        assert_eq!(Quiet::recalled(None, &[]), None);
    }

    fn opened(by: Source) -> Incident {
        let (title, services) = ("Orders fail".to_owned(), vec!["order-api".to_owned()]);
        let what = What::Opened {
            id: Id(1),
            title,
            description: String::new(),
            severity: Severity::Sev2,
            services,
            previous: None,
        };
        Incident::open(&Event { at: Utc::now(), by, what }).unwrap()
    }

    #[test]
    fn an_incident_is_of_a_person_who_opened_or_acknowledged_it() {
        let mut incident = opened(Source::System("alertmanager".to_owned()));
        assert!(!is_by_person(&incident) && !is_of_person(&incident));
        let by = Source::Person("ada".to_owned());
        let at = Utc::now();
        incident.apply(&Event { at, by: Source::ControlRoom, what: What::Acknowledged }).unwrap();
        assert!(!is_of_person(&incident), "a rule is no person");
        incident.apply(&Event { at, by: by.clone(), what: What::Acknowledged }).unwrap();
        assert!(!is_by_person(&incident) && is_of_person(&incident));
        assert!(is_by_person(&opened(by)));
    }
}
