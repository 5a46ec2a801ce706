//! Schedules and policies that the API declared: kept in the store, beside those of the file, and checked together with
//! them (`fits`).
//!
//! Invariant: a name belongs to the file or to the API. A change that would make the whole invalid is refused and
//! changes nothing; if the file changes so that the whole would be, its last good version stays in force.

mod fits;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use rota::{Extra, Rota};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Duty, views};
use crate::{
    bus::Kind,
    changes::{Change, Changes},
    error::{Error, Result},
    store::{
        Store, Writing,
        time::{from_micros, micros},
    },
};

/// What can be declared.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Part {
    /// Who is on call.
    Schedule,
    /// Who is notified next.
    Policy,
}

/// A schedule or a policy that was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    part: Part,
    name: String,
    /// As the file would have it, without the name.
    data: Map<String, Value>,
    by: String,
    at: DateTime<Utc>,
}

/// Whose a schedule or a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// `oncall.yaml`.
    File,
    /// The API.
    Api,
}

/// A schedule or a policy as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// As the file has it, or would have it.
    #[serde(skip)]
    pub entry: Value,
    /// Who may change it.
    pub owner: Owner,
    /// Who declared it, if the API did.
    pub by: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Whether it is in force. What does not fit with the file that a start found is not.
    pub in_force: bool,
}

impl Part {
    /// The list of the file that it is in.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Schedule => "schedules",
            Self::Policy => "policies",
        }
    }

    /// A schedule or a policy as a text of the file has it.
    fn entry(self, text: &str, name: &str) -> Option<Value> {
        let file: Value = rota::written("oncall.yaml", text).ok()?;
        let mut entries = file.get(self.list())?.as_array()?.iter();
        entries.find(|entry| entry.get("name").and_then(Value::as_str) == Some(name)).cloned()
    }

    /// The names that are in force.
    fn names(self, rota: &Rota) -> Vec<&str> {
        match self {
            Self::Schedule => rota.schedules.iter().map(|schedule| schedule.name.as_str()).collect(),
            Self::Policy => rota.policies.iter().map(|policy| policy.name.as_str()).collect(),
        }
    }

    fn unknown(self, rota: &Rota, name: &str) -> Error {
        views::no_such(self.into(), name, self.names(rota).into_iter())
    }

    /// The field of the request that a path of its document means: `schedules[0].layers[1].zone` is `/layers/1/zone`.
    fn field(self, path: &str) -> String {
        let inside = path.strip_prefix(self.list()).and_then(|rest| rest.strip_prefix("[0]"));
        match inside.unwrap_or(path) {
            "" => "body".to_owned(),
            ".name" => self.to_string(),
            rest => rest.replace(['.', '['], "/").replace(']', ""),
        }
    }
}

impl Declared {
    fn is(&self, part: Part, name: &str) -> bool {
        self.part == part && self.name == name
    }

    /// What messages call it.
    fn place(&self) -> String {
        format!("the {} {} of the API", self.part, self.name)
    }

    fn entry(&self) -> Map<String, Value> {
        let mut entry = self.data.clone();
        entry.insert("name".to_owned(), Value::from(self.name.as_str()));
        entry
    }

    /// As the reader of the file takes it.
    pub(super) fn extra(&self) -> Extra {
        let list = self.part.list();
        Extra { file: self.place(), text: json!({ list: [self.entry()] }).to_string() }
    }
}

impl Duty {
    /// A schedule or a policy as it is written, and whose it is.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn written(&self, part: Part, name: &str) -> Result<Written> {
        let held = self.0.held.read();
        let in_force = part.names(&held.base).contains(&name);
        if let Some(found) = held.declared(part, name) {
            let (by, at) = (Some(found.by.clone()), Some(found.at));
            let entry = Value::Object(found.entry());
            return Ok(Written { entry, owner: Owner::Api, by, at, in_force });
        }
        let entry = part.entry(&held.good, name).ok_or_else(|| part.unknown(&held.base, name))?;
        Ok(Written { entry, owner: Owner::File, by: None, at: None, in_force })
    }

    /// Declares a schedule or a policy, or changes one that was declared. Says whether it is new.
    ///
    /// # Errors
    /// When the file has this name, or the whole would be invalid: with each field that is wrong.
    pub async fn declare(
        &self,
        changes: &Changes,
        by: &str,
        part: Part,
        name: &str,
        data: Map<String, Value>,
    ) -> Result<bool> {
        let at = from_micros(micros(Utc::now()));
        let one = Declared { part, name: name.to_owned(), data, by: by.to_owned(), at };
        // Nobody else writes while this exists, so what fits now fits at the commit.
        let mut writing = self.0.store.begin().await?;
        let (before, after) = self.with(&one)?;
        if before.as_ref().is_some_and(|before| before.data == one.data) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT OR REPLACE INTO declared (kind, name, data, changed_by, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(part.to_string())
        .bind(name)
        .bind(serde_json::to_string(&one.data)?)
        .bind(by)
        .bind(micros(at))
        .execute(&mut *writing)
        .await?;
        let verb = if before.is_some() { "changed" } else { "declared" };
        self.finish(writing, changes, by, &format!("{by} has {verb} the {part} {name}"), after).await?;
        Ok(before.is_none())
    }

    /// Withdraws what was declared.
    ///
    /// # Errors
    /// When it is the file's, or nobody's, or something else needs it.
    pub async fn withdraw(&self, changes: &Changes, by: &str, part: Part, name: &str) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        let after = self.without(part, name)?;
        sqlx::query("DELETE FROM declared WHERE kind = ?1 AND name = ?2")
            .bind(part.to_string())
            .bind(name)
            .execute(&mut *writing)
            .await?;
        self.finish(writing, changes, by, &format!("{by} has withdrawn the {part} {name}"), after).await
    }

    /// Commits with an entry in the journal and in the list of changes, and then puts it into force.
    async fn finish(
        &self,
        mut writing: Writing<'_>,
        changes: &Changes,
        by: &str,
        text: &str,
        mut after: Vec<Declared>,
    ) -> Result<()> {
        let change = Change::of_configuration(by, text);
        writing.journal(change.at, Kind::Rota, None, false, &json!({ "text": text, "by": by })).await?;
        changes.note(&mut writing, change).await?;
        // As a start reads them.
        after.sort_by_cached_key(|one| (one.part, one.name.clone()));
        let duty = self.clone();
        writing.after(move || duty.set_declared(after));
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    fn set_declared(&self, declared: Vec<Declared>) {
        let mut held = self.0.held.write();
        held.declared = declared;
        let mut read_at = held.state.read_at;
        if let Some(path) = self.0.file.as_deref() {
            let waited = held.waits();
            held.settle(path);
            if waited && !held.waits() {
                read_at = Utc::now();
                let said = format!("{} fits with what is declared now, and is in force", path.display());
                held.unsaid = Some(said);
            }
        }
        held.rebuild(read_at);
    }
}

/// What is declared: schedules first, because policies use them.
pub(super) async fn load(store: &Store) -> Result<Vec<Declared>> {
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
        "SELECT kind, name, data, changed_by, changed_at FROM declared WHERE kind IN ('schedule', 'policy') \
         ORDER BY kind DESC, name",
    )
    .fetch_all(store.read())
    .await?;
    let mut all = Vec::new();
    for (kind, name, data, by, at) in rows {
        let Ok(part) = kind.parse::<Part>() else { continue };
        all.push(Declared { part, name, data: serde_json::from_str(&data)?, by, at: from_micros(at) });
    }
    Ok(all)
}
