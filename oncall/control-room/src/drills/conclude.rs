//! The end of a run: what it leaves behind in incidents, in its row and in the metrics. All of it can be
//! repeated: a crash in between is followed by the same end.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use drill::{Outcome, Phase, Scorecard, Verdict};
use incident::{EntryKind, Incident, Source, Truth, What};
use serde_json::json;

use super::{
    Drills, curve,
    live::Live,
    rows::{self, End},
};
use crate::{bus::Kind, error::Result, room::Room, store::Writing, watch};

/// Ended incidents that may be of a run.
const RECENT: usize = 100;

/// Ends a run that is finished.
///
/// # Errors
/// When the file fails; then it is tried again.
pub(super) async fn conclude(room: &Room, live: &Live) -> Result<()> {
    let Some(outcome) = live.run.outcome() else { return Ok(()) };
    let score = Scorecard::of(&live.drill, &outcome).map(|card| card.total);
    let curve = match live.verifies() {
        Some(_) => None,
        None => sketch(room, live, &outcome).await,
    };
    let verdict = outcome.verdict.to_string();
    let end = End { at: live.wall(outcome.ended), verdict, score, outcome: Some(outcome), curve };
    finish(room, live, &end).await
}

/// Ends a run whose reset does not come to an end. What may still be broken ends by itself.
///
/// # Errors
/// As [`conclude`].
pub(super) async fn give_up(room: &Room, live: &Live) -> Result<()> {
    tracing::warn!(run = live.id, "the reset of a drill was given up");
    let verdict = Verdict::Aborted.to_string();
    let end = End { at: Utc::now(), verdict, score: None, outcome: None, curve: None };
    finish(room, live, &end).await
}

/// Ends a run that cannot be read, after everything was put back.
///
/// # Errors
/// As [`conclude`].
pub(super) async fn lost(room: &Room, run: i64) -> Result<()> {
    let verdict = Verdict::Aborted.to_string();
    let end = End { at: Utc::now(), verdict, score: None, outcome: None, curve: None };
    let mut writing = room.store.begin().await?;
    rows::end(&mut writing, run, &end).await?;
    over(&mut writing, run, &end).await?;
    let (inner, metrics, verdict) = (Arc::clone(&room.drills.0), room.metrics.clone(), end.verdict);
    writing.after(move || {
        metrics.drill(&verdict);
        *inner.lost.lock() = None;
    });
    writing.commit(&room.bus).await?;
    tracing::info!(run, "everything is put back after a run that cannot be read");
    Ok(())
}

/// Tells listeners that a run is over.
async fn over(writing: &mut Writing<'_>, run: i64, end: &End) -> Result<()> {
    let phase = Phase::Finished.to_string();
    let news = json!({ "run": run, "what": "ended", "phase": phase, "verdict": end.verdict });
    writing.journal(Utc::now(), Kind::Drill, None, false, &news).await
}

async fn finish(room: &Room, live: &Live, end: &End) -> Result<()> {
    match live.verifies() {
        Some(_) => {
            room.drills.fade(Utc::now());
            room.drills.tidy(room).await?;
        }
        None => tell_truth(room, live).await?,
    }
    room.drills.close(room, live, end).await?;
    tracing::info!(run = live.id, verdict = %end.verdict, "a drill is over");
    Ok(())
}

impl Drills {
    async fn close(&self, room: &Room, live: &Live, end: &End) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        // A person may have given it up meanwhile.
        if self.live().is_none_or(|other| other.id != live.id) {
            return Ok(());
        }
        rows::end(&mut writing, live.id, end).await?;
        over(&mut writing, live.id, end).await?;
        let (inner, metrics, verdict) = (Arc::clone(&self.0), room.metrics.clone(), end.verdict.clone());
        writing.after(move || {
            metrics.drill(&verdict);
            *inner.live.write() = None;
        });
        writing.commit(&self.0.bus).await?;
        self.wake();
        Ok(())
    }
}

/// How users were served; none if Prometheus does not answer: the report has no picture then.
async fn sketch(room: &Room, live: &Live, outcome: &Outcome) -> Option<curve::Sketch> {
    let span = (live.wall(outcome.injected?), live.wall(outcome.ended));
    curve::sketch(room, outcome, span).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a drill's report has no curve");
        None
    })
}

/// Tells the incidents of a person's run what was wrong: now everybody may know, and times count from the
/// true start.
async fn tell_truth(room: &Room, live: &Live) -> Result<()> {
    let Some(injected) = live.run.injected().map(|at| live.wall(at)) else { return Ok(()) };
    let text = truth(live);
    for incident in of(room, live.run.start().at) {
        if incident.timeline.iter().any(|entry| entry.kind == EntryKind::Truth && entry.text == text) {
            continue;
        }
        let (text, evidence) = (text.clone(), Vec::new());
        let (kind, happened_at, sealed) = (EntryKind::Truth, injected, false);
        let mut what = vec![What::Noted { kind, happened_at, text, evidence, sealed }];
        if let Some(fault) = live.drill.faults.iter().min_by_key(|fault| fault.after) {
            let (name, service) = (fault.fault.clone(), fault.service.clone());
            let by = format!("the drill {}", live.drill.id);
            what.push(What::TruthSealed { truth: Truth { fault: name, service, since: injected, by } });
        }
        room.desk.act_all(incident.id, Source::ControlRoom, what).await?;
        // A draft that was made before says nothing of it. It takes a while, and nobody waits for it.
        let (own, id) = (room.clone(), incident.id);
        room.chassis.spawn(async move { watch::redraft(&own, id).await });
    }
    Ok(())
}

/// What was wrong, in a sentence.
fn truth(live: &Live) -> String {
    let faults = live.drill.faults.iter().map(|fault| format!("{} in {}", fault.fault, fault.target()));
    let faults: Vec<String> = faults.collect();
    let what = if faults.is_empty() { "nothing was wrong".to_owned() } else { faults.join(", ") };
    format!("{what} (drill {}, run {})", live.drill.id, live.id)
}

/// The incidents that opened during a run.
fn of(room: &Room, since: DateTime<Utc>) -> Vec<Arc<Incident>> {
    let recent = room.desk.recent(RECENT).into_iter();
    recent.filter(|incident| incident.opened_at >= since).collect()
}
