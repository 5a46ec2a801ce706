//! Overrides that were made on the page or by the API: kept in the store, applied after those of the file.
//!
//! Invariant: an override that would leave an instant without a primary, or names somebody unknown, is a problem and
//! is not applied. So a schedule has exactly one primary, whatever happens to the file later.

use chrono::{DateTime, TimeDelta, Utc};
use rota::{
    Rota, Schedule,
    schedule::{Change, Override},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Duty;
use crate::{
    bus::Kind,
    error::{Error, Result},
    store::{
        Store,
        time::{from_micros, micros},
    },
};

/// Longest override, and how long one that is over is still shown.
const LONGEST: TimeDelta = TimeDelta::days(90);
/// Most of them, so that nobody fills the memory.
const MOST: usize = 500;

/// An override of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverrideRow {
    /// Its number.
    pub id: i64,
    /// Name of the schedule.
    pub schedule: String,
    /// What changes.
    pub change: Change,
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Until this instant, exclusively.
    pub until: DateTime<Utc>,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// The column `data`.
#[derive(Serialize, Deserialize)]
struct Data {
    change: Change,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// A field and what is wrong with it.
type Wrong = (&'static str, String);

impl OverrideRow {
    fn sentence(&self) -> String {
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
        let what = match &self.change {
            Change::Add(person) => format!("{person} is on call, too"),
            Change::Remove(person) => format!("{person} is not on call"),
            Change::Replace { person, with } => format!("{with} takes the shifts of {person}"),
        };
        format!("{what} in {} from {} until {}", self.schedule, time(self.from), time(self.until))
    }

    fn of_schedule(&self) -> Override {
        Override { change: self.change.clone(), from: self.from, until: self.until }
    }
}

impl Duty {
    /// The overrides of the page that are not removed, oldest first. Those of the file are in its schedules.
    #[must_use]
    pub fn overrides(&self) -> Vec<OverrideRow> {
        self.0.held.read().rows.clone()
    }

    /// Adds an override of at most 90 days that is not over yet.
    ///
    /// # Errors
    /// When the schedule or a person is unknown, the span is wrong, or somebody is missing then.
    pub async fn add_override(
        &self,
        by: &str,
        schedule: &str,
        change: Change,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<OverrideRow> {
        let at = from_micros(micros(Utc::now()));
        let mut row =
            OverrideRow { id: 0, schedule: schedule.to_owned(), change, from, until, by: by.to_owned(), at };
        span(&row, at)?;
        self.fits(&row)?;
        let data = Data { change: row.change.clone(), from, until };
        let mut writing = self.0.store.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO overrides (schedule, data, created_by, created_at) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(schedule)
        .bind(serde_json::to_string(&data)?)
        .bind(by)
        .bind(micros(at))
        .execute(&mut *writing)
        .await?;
        row.id = inserted.last_insert_rowid();
        writing.journal(at, Kind::Rota, None, false, &json!({ "text": row.sentence(), "by": by })).await?;
        let (duty, added) = (self.clone(), row.clone());
        writing.after(move || duty.change(|rows| rows.push(added)));
        writing.commit(&self.0.bus).await?;
        Ok(row)
    }

    /// Removes an override of the page.
    ///
    /// # Errors
    /// When no override has this number.
    pub async fn remove_override(&self, by: &str, id: i64) -> Result<()> {
        let rows = self.overrides();
        let unknown = || {
            let known: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Error::NoSuch { what: "override", name: id.to_string(), known }
        };
        let row = rows.iter().find(|row| row.id == id).ok_or_else(unknown)?;
        let at = Utc::now();
        let mut writing = self.0.store.begin().await?;
        let removed =
            sqlx::query("UPDATE overrides SET removed_at = ?1 WHERE id = ?2 AND removed_at IS NULL")
                .bind(micros(at))
                .bind(id)
                .execute(&mut *writing)
                .await?;
        if removed.rows_affected() == 0 {
            return Err(unknown());
        }
        let text = format!("no longer: {}", row.sentence());
        writing.journal(at, Kind::Rota, None, false, &json!({ "text": text, "by": by })).await?;
        let duty = self.clone();
        writing.after(move || duty.change(|rows| rows.retain(|row| row.id != id)));
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    /// Refuses an override that could not be applied.
    fn fits(&self, row: &OverrideRow) -> Result<()> {
        let held = self.0.held.read();
        if held.rows.len() >= MOST {
            return Err(Error::Conflict(format!(
                "there are {MOST} overrides already: remove some of them first"
            )));
        }
        let rota = &held.state.rota;
        let Some(schedule) = rota.schedule(&row.schedule) else {
            return Err(super::views::no_schedule(rota, &row.schedule));
        };
        with(rota, schedule, row).map_err(|(field, expected)| Error::field(field, expected))?;
        Ok(())
    }
}

/// Refuses a span that is empty, too long or over.
fn span(row: &OverrideRow, now: DateTime<Utc>) -> Result<()> {
    let wrong = |expected: String| Err(Error::field("until", expected));
    if row.until <= row.from {
        return wrong(format!("expected a time after {}, found {}", row.from, row.until));
    }
    if row.until - row.from > LONGEST {
        return wrong(format!("expected at most {} days after {}", LONGEST.num_days(), row.from));
    }
    if row.until <= now {
        return wrong(format!("expected a time in the future, found {}", row.until));
    }
    Ok(())
}

/// The overrides that are not removed and not long over.
pub(super) async fn load(store: &Store, now: DateTime<Utc>) -> Result<Vec<OverrideRow>> {
    let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
        "SELECT id, schedule, data, created_by, created_at FROM overrides WHERE removed_at IS NULL ORDER BY id",
    )
    .fetch_all(store.read())
    .await?;
    let mut overrides = Vec::new();
    for (id, schedule, data, by, at) in rows {
        let Data { change, from, until } = serde_json::from_str(&data)?;
        if until + LONGEST > now {
            overrides.push(OverrideRow { id, schedule, change, from, until, by, at: from_micros(at) });
        }
    }
    Ok(overrides)
}

/// Adds the overrides to the schedules; returns a sentence for each one that cannot be applied.
pub(super) fn apply(rota: &mut Rota, rows: &[OverrideRow]) -> Vec<String> {
    let mut problems = Vec::new();
    for row in rows {
        let changed = match rota.schedule(&row.schedule) {
            Some(schedule) => with(rota, schedule, row).map_err(|(_, why)| why),
            None => Err(format!("there is no schedule `{}` any more", row.schedule)),
        };
        match changed {
            Ok(changed) => {
                if let Some(schedule) = rota.schedules.iter_mut().find(|known| known.name == changed.name) {
                    *schedule = changed;
                }
            }
            Err(why) => problems.push(format!("override {} is not applied: {why}", row.id)),
        }
    }
    problems
}

/// The schedule with the override, if it still has somebody at each instant.
fn with(rota: &Rota, schedule: &Schedule, row: &OverrideRow) -> std::result::Result<Schedule, Wrong> {
    let known = |field: &'static str, name: &String| {
        if rota.people.contains_key(name) {
            return Ok(());
        }
        let names: Vec<&str> = rota.people.keys().map(String::as_str).collect();
        Err((field, format!("`{name}` is not in oncall.yaml: expected one of {}", names.join(", "))))
    };
    match &row.change {
        Change::Add(person) | Change::Remove(person) => known("person", person)?,
        Change::Replace { person, with } => {
            known("person", person)?;
            known("with", with)?;
            if person == with {
                return Err(("with", format!("expected somebody other than {person}")));
            }
        }
    }
    let mut changed = schedule.clone();
    changed.overrides.push(row.of_schedule());
    match gap(&changed, row.from, row.until) {
        None => Ok(changed),
        Some((from, until)) => {
            let message = format!(
                "then nobody is on call in {} from {from} until {until}: replace the person, or name a `fallback`",
                schedule.name
            );
            Err(("person", message))
        }
    }
}

/// The first part of a span without a primary.
fn gap(
    schedule: &Schedule,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let mut end = from;
    for shift in schedule.shifts(from, until) {
        if shift.from > end {
            return Some((end, shift.from));
        }
        end = shift.until;
    }
    (end < until).then_some((end, until))
}
