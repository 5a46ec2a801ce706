//! The audit log: who did what, in a chain of hashes. What runs do is written with their events, in one
//! transaction; what people and agents do by hand is taken from the journal, once, whatever crashes. Faults
//! are no work on the system and are not in it: the journal has them, for instructors.

use chrono::{DateTime, Utc};
use incident::Source;
use runbook::{
    Event, What, Who,
    audit::{Entry, Head, export},
    toil,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{Runbooks, toil as book};
use crate::{
    actions::{Done, concerned},
    error::Result,
    room::Room,
    store::{id, time},
};

/// Rows of the journal that are taken in one transaction.
const BATCH: i64 = 200;

/// `seq, at, who, action, data, previous, hash`.
type Row = (i64, i64, String, String, String, String, String);

impl Runbooks {
    /// The whole log, a line of JSON for each entry: what `lab audit verify` checks.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn audit(&self) -> Result<String> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT seq, at, who, action, data, previous, hash FROM audit ORDER BY seq")
                .fetch_all(self.0.store.read())
                .await?;
        let entries: Vec<Entry> = rows.into_iter().map(entry).collect();
        Ok(export(&entries))
    }
}

fn entry((seq, at, by, action, data, previous, hash): Row) -> Entry {
    let seq = u64::try_from(seq).unwrap_or_default();
    Entry { seq, at: time::from_micros(at), by, action, data, previous, hash }
}

/// Adds an entry.
pub(crate) async fn add(
    connection: &mut SqliteConnection,
    at: DateTime<Utc>,
    by: &str,
    action: &str,
    data: &Value,
) -> Result<()> {
    let last: Option<(i64, String)> = sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let head = |(seq, hash): (i64, String)| Head { seq: u64::try_from(seq).unwrap_or_default(), hash };
    let head = last.map_or_else(Head::default, head);
    let entry = Entry::after(&head, at, by, action, data.to_string());
    sqlx::query(
        "INSERT INTO audit (seq, at, who, action, data, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(i64::try_from(entry.seq).unwrap_or(i64::MAX))
    .bind(time::micros(entry.at))
    .bind(entry.by)
    .bind(entry.action)
    .bind(entry.data)
    .bind(entry.previous)
    .bind(entry.hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds what happened to a run.
pub(super) async fn add_event(connection: &mut SqliteConnection, run: &str, event: &Event) -> Result<()> {
    let (by, action) = words(&event.what);
    let mut what = serde_json::to_value(&event.what)?;
    if let What::Started { text, .. } = &event.what {
        // The run has the text; this shows that it is still the same.
        what["text"] = format!("sha256:{}", hex::encode(Sha256::digest(text))).into();
    }
    add(connection, event.at, &by, action, &json!({ "run": run, "what": what })).await
}

/// Who did it, and a name for it.
fn words(what: &What) -> (String, &'static str) {
    let room = || "control-room".to_owned();
    match what {
        What::Started { by, .. } => (by.to_string(), "run.started"),
        What::Confirmed { by, .. } => (by.clone(), "step.confirmed"),
        What::Skipped { by, .. } => (by.clone(), "step.skipped"),
        What::Approved { by, .. } => (by.clone(), "run.approved"),
        What::Declined { by, .. } => (by.clone(), "run.declined"),
        What::Decided { .. } => (room(), "act.decided"),
        What::Begun { .. } => (room(), "act.begun"),
        What::Done { .. } => (room(), "act.done"),
        What::Answered { .. } => (room(), "look.answered"),
        What::Stopped { by: Who::Person(by), .. } => (by.clone(), "run.stopped"),
        What::Stopped { by: Who::Automation, .. } => (room(), "run.stopped"),
    }
}

/// Takes what people and agents did by hand since the last time.
///
/// # Errors
/// When the file fails or has what cannot be read.
pub(super) async fn take_acts(room: &Room) -> Result<()> {
    let store = &room.runbooks.0.store;
    loop {
        let mut writing = store.begin().await?;
        let rows: Vec<(i64, Option<i64>, String)> = sqlx::query_as(
            "SELECT seq, incident, data FROM journal WHERE kind = 'action' AND sealed = 0
             AND seq > (SELECT seq FROM audited) ORDER BY seq LIMIT ?",
        )
        .bind(BATCH)
        .fetch_all(&mut *writing)
        .await?;
        let Some((last, ..)) = rows.last() else { return Ok(()) };
        let last = *last;
        for (seq, incident, data) in &rows {
            let Ok(done) = serde_json::from_str::<Done>(data) else {
                // Of another version. It is kept as it is: what comes after it must not wait forever.
                add(&mut writing, Utc::now(), "unknown", "action.unknown", &serde_json::from_str(data)?)
                    .await?;
                continue;
            };
            let action = format!("action.{}", done.action.name());
            add(&mut writing, done.at, done.by.name(), &action, &serde_json::from_str(data)?).await?;
            // One that an incident has in its timeline is part of the time on that.
            if let Source::Person(person) = &done.by
                && concerned(room, &done, incident.map(id)).is_empty()
            {
                let since = busy_since(&mut writing, person, done.at).await?;
                let entry = by_hand(&done, person, since);
                book::put(&mut writing, &format!("ACT-{seq}/0"), None, &entry).await?;
            }
        }
        sqlx::query("UPDATE audited SET seq = ?").bind(last).execute(&mut *writing).await?;
        writing.commit(&room.bus).await?;
    }
}

/// Since when a person has been busy with an act: since what they did before, if that was a short time ago.
async fn busy_since(
    connection: &mut SqliteConnection,
    person: &str,
    at: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let before: Option<i64> =
        sqlx::query_scalar("SELECT at FROM audit WHERE who = ? AND at < ? ORDER BY seq DESC LIMIT 1")
            .bind(person)
            .bind(time::micros(at))
            .fetch_optional(connection)
            .await?;
    Ok(before.map(time::from_micros).filter(|before| at - *before <= toil::BUSY).unwrap_or(at))
}

/// An act outside of an incident, and the time that led to it.
fn by_hand(done: &Done, person: &str, since: DateTime<Utc>) -> toil::Entry {
    toil::Entry {
        from: since,
        until: done.at,
        person: Some(person.to_owned()),
        task: done.text.clone(),
        alert: None,
        class: toil::Class::Remediation,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use runbook::audit::verify_export;

    use super::*;
    use crate::{bus::Bus, content::Content, store::Store};

    #[tokio::test]
    async fn an_act_takes_the_time_since_what_the_person_did_a_short_time_before() {
        let (store, now) = (Store::open(None).await.unwrap(), Utc::now());
        // As exact as the file.
        let ago = |minutes| time::from_micros(time::micros(now - TimeDelta::minutes(minutes)));
        let mut writing = store.begin().await.unwrap();
        for (who, minutes) in [("ada", 30), ("ada", 4), ("ben", 11), ("cleo", 1)] {
            add(&mut writing, ago(minutes), who, "step.confirmed", &json!({})).await.unwrap();
        }
        for (who, minutes) in [("ada", 4), ("ben", 0), ("dan", 0)] {
            let since = busy_since(&mut writing, who, ago(0)).await.unwrap();
            assert_eq!(since, ago(minutes), "{who}");
        }
        assert_eq!(busy_since(&mut writing, "ada", ago(4)).await.unwrap(), ago(4), "26 minutes are too long");
    }

    #[tokio::test]
    async fn rows_are_a_chain_and_a_row_that_was_changed_is_found() {
        let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
        let runbooks = Runbooks::open(&store, &bus, &Content::open(None).unwrap(), 60).await.unwrap();
        for n in 0..3 {
            let mut writing = store.begin().await.unwrap();
            add(&mut writing, Utc::now(), "ada", "automation.off", &json!({ "n": n })).await.unwrap();
            writing.commit(&bus).await.unwrap();
        }
        let head = verify_export(&runbooks.audit().await.unwrap(), None).unwrap();
        assert_eq!(head.seq, 3);
        let mut writing = store.begin().await.unwrap();
        for change in ["UPDATE audit SET who = 'eve' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2"] {
            let refused = sqlx::query(change).execute(&mut *writing).await.unwrap_err().to_string();
            assert!(refused.contains("rows of the audit log are never"), "{refused}");
        }
        drop(writing);
        // Somebody with the file in their hands.
        let mut writing = store.begin().await.unwrap();
        sqlx::query("DROP TRIGGER audit_is_never_changed").execute(&mut *writing).await.unwrap();
        sqlx::query("UPDATE audit SET who = 'eve' WHERE seq = 2").execute(&mut *writing).await.unwrap();
        writing.commit(&bus).await.unwrap();
        let broken = verify_export(&runbooks.audit().await.unwrap(), Some(&head)).unwrap_err();
        assert_eq!((broken.seq, broken.what.contains("it was changed")), (2, true), "{broken}");
    }
}
