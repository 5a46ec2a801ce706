//! Runs that cannot be read any more, after a crash or a change of the program. One that is lost must not keep
//! the control room from its work, and what it was doing must not keep others from theirs.

use std::{collections::BTreeMap, sync::Arc};

use chrono::Utc;
use runbook::{
    Run,
    guardrails::{Entry, Noted},
};
use serde_json::json;

use super::{Live, audit, name, record, rows};
use crate::{
    bus::Bus,
    error::{Error, Result},
    store::Store,
};

/// The runs that are not over, by number; ends those that are lost.
///
/// # Errors
/// When the file fails.
pub(super) async fn open(store: &Store, bus: &Bus) -> Result<BTreeMap<i64, Arc<Live>>> {
    let mut reader = store.read().acquire().await?;
    let (mut live, mut lost) = (BTreeMap::new(), Vec::new());
    for number in rows::open(&mut reader).await? {
        let events = match rows::events(&mut reader, number).await {
            Err(Error::Store(error)) => return Err(error.into()),
            events => events,
        };
        let run = events.and_then(|events| Ok((Run::replay(&events)?, record::count(&events))));
        match run {
            Ok((run, events)) => drop(live.insert(number, Live::found(number, run, events))),
            Err(error) => {
                tracing::error!(run = name(number), %error, "a run cannot continue");
                lost.push((number, error.to_string()));
            }
        }
    }
    // Before anything is written: in memory there is only one connection.
    drop(reader);
    for (number, why) in lost {
        end(store, bus, number, &why).await?;
    }
    Ok(live)
}

/// Ends a run that is lost: no replica stops because of it any more. It does not count as one that did not help.
async fn end(store: &Store, bus: &Bus, number: i64, why: &str) -> Result<()> {
    let (at, run) = (Utc::now(), name(number));
    let mut writing = store.begin().await?;
    let data = json!({ "run": run, "how": "lost", "why": why });
    let entry = Entry::Ended { run, failed: false };
    rows::put_noted(&mut writing, &Noted { at, entry }).await?;
    rows::end_run(&mut writing, number, at).await?;
    audit::add(&mut writing, at, "control-room", "run.ended", &data).await?;
    writing.commit(bus).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Content, runbooks::Runbooks};

    #[tokio::test]
    async fn a_run_that_cannot_be_read_is_over_and_keeps_nobody_from_a_restart() {
        let store = Store::open(None).await.unwrap();
        let at = Utc::now();
        let mut writing = store.begin().await.unwrap();
        rows::put_run(&mut writing, 1, "TargetDown", None, None, at).await.unwrap();
        sqlx::query("INSERT INTO runbook_events (run, n, at, data) VALUES (1, 0, 0, '{}')")
            .execute(&mut *writing)
            .await
            .unwrap();
        let (run, target) = ("RUN-1".to_owned(), "order-worker".to_owned());
        let entry = Entry::Acted { run, target, stops: true, undo: false };
        rows::put_noted(&mut writing, &Noted { at, entry }).await.unwrap();
        writing.commit(&Bus::default()).await.unwrap();

        let content = Content::open(None).unwrap();
        let runbooks = Runbooks::open(&store, &Bus::default(), &content, 60).await.unwrap();
        assert_eq!(runbooks.0.state.read().ledger.stopping("order-worker", "RUN-2"), None);
        assert!(runbooks.under_way().is_empty());
        let mut reader = store.read().acquire().await.unwrap();
        assert!(rows::open(&mut reader).await.unwrap().is_empty(), "it is ended once");
        drop(reader);
        assert!(runbooks.runs(9).await.unwrap().is_empty(), "a list leaves it out");
        let log = runbooks.audit().await.unwrap();
        runbook::audit::verify_export(&log, None).unwrap();
        assert!(log.contains("RUN-1") && log.contains("lost"), "{log}");
    }
}
