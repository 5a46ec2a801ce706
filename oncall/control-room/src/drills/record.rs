//! The one way in which a run changes: rows first, then memory, then news. What is told to everyone is that
//! something happened, and never what the drill did; that is sealed.

use std::sync::Arc;

use chrono::Utc;
use drill::{Phase, What};
use serde_json::{Value, json};

use super::{
    Drills,
    live::{Entry, Happened, Live, whole},
    rows, show,
};
use crate::{bus::Kind, error::Result, store::Writing};

/// Who ends a pause that nobody ended.
const BY: &str = "drill";

impl Drills {
    /// Writes down what happened in a run, and moves it on; nothing, if another run or none is in progress by now.
    /// `followed` is the row of the journal from which it follows.
    ///
    /// # Errors
    /// When the file fails: then nothing has happened.
    pub(super) async fn note(&self, id: i64, entries: Vec<Entry>, followed: Option<i64>) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        // Nobody else writes while `writing` exists.
        let Some(before) = self.live().filter(|live| live.id == id) else { return Ok(()) };
        let mut after = Live::clone(&before);
        for entry in entries {
            let entry = Entry { at: whole(entry.at), ..entry };
            rows::add(&mut writing, id, &entry).await?;
            tell(&mut writing, &after, &entry).await?;
            after.take(&entry);
        }
        if let Some(seq) = followed {
            rows::follow(&mut writing, id, seq).await?;
            after.followed = seq;
        }
        let phase = after.phase();
        // What was decided as the pause began must not keep the system broken: a reset never stands still.
        if phase >= Phase::Reset && after.is_paused() {
            let entry = Entry { at: whole(Utc::now()), by: BY.to_owned(), what: Happened::Resumed };
            rows::add(&mut writing, id, &entry).await?;
            tell(&mut writing, &after, &entry).await?;
            after.take(&entry);
        }
        if phase != after.announced {
            after.announced = phase;
            let news = json!({ "run": id, "what": "phase", "phase": phase.to_string() });
            // Trainees are told of it under another name, or not at all.
            let sealed = show::told(&after, phase) != phase;
            writing.journal(Utc::now(), Kind::Drill, None, sealed, &news).await?;
        }
        let inner = Arc::clone(&self.0);
        writing.after(move || *inner.live.write() = Some(Arc::new(after)));
        writing.commit(&self.0.bus).await?;
        self.wake();
        Ok(())
    }
}

/// Tells listeners: everyone, what the responder did; instructors, what the drill did.
async fn tell(writing: &mut Writing<'_>, live: &Live, entry: &Entry) -> Result<()> {
    let id = live.id;
    let open = |what: &str| json!({ "run": id, "what": what, "by": entry.by });
    let (sealed, news) = match &entry.what {
        Happened::Looks(_) => return Ok(()),
        Happened::Paused => (false, open("paused")),
        Happened::Resumed => (false, open("resumed")),
        Happened::Event(what) => match word(what) {
            Some(word) => (false, open(word)),
            None => match sealed(live, entry, what) {
                Some(news) => (true, news),
                None => return Ok(()),
            },
        },
    };
    writing.journal(Utc::now(), Kind::Drill, None, sealed, &news).await
}

/// What everyone may know that a responder did.
const fn word(what: &What) -> Option<&'static str> {
    match what {
        What::Noticed => Some("noticed"),
        What::Acknowledged => Some("acknowledged"),
        What::Hint => Some("hint"),
        What::Answered { .. } => Some("answered"),
        What::Updated { .. } => Some("updated"),
        What::Acted { .. } => Some("acted"),
        What::Submitted => Some("submitted"),
        What::Aborted { .. } => Some("aborted"),
        What::Done { .. }
        | What::Failed { .. }
        | What::Looked { .. }
        | What::Notified { .. }
        | What::Burned { .. } => None,
    }
}

/// What only instructors may know: what the drill itself did.
fn sealed(live: &Live, entry: &Entry, what: &What) -> Option<Value> {
    let (id, why) = match what {
        What::Done { action } => (action, None),
        What::Failed { action, why } => (action, Some(why)),
        _ => return None,
    };
    let due = live.run.due(entry.at).into_iter().find(|due| due.id == *id);
    let action = due.map(|due| due.action);
    let (run, drill) = (live.id, &live.drill.id);
    Some(json!({ "run": run, "drill": drill, "what": "did", "id": id, "action": action, "failed": why }))
}
