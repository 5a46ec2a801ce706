//! Objectives that the API declared, beside those of `dashboards/slos`: kept in the store, checked as a file is (`fields`).
//! They have no rules: the watch measures them by query, and tells Alertmanager what fires.
//!
//! Invariant: a name belongs to a file or to the API. The files are read once, at the start: what does not fit with them is
//! kept, and is not in force.

mod fields;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use observe::prometheus::Alert;
use parking_lot::RwLock;
use slo::{
    Clock, Slo,
    live::{Live, Measured},
    window::percent,
};

pub use self::fields::ObjectiveFields;
use crate::{
    bus::Bus,
    changes::{Change, Changes},
    content::Content,
    error::{Error, Result},
    store::{
        Store, Writing,
        time::{from_micros, micros},
    },
};

/// Most that may be declared: each asks Prometheus as often as rules are evaluated.
const MOST: usize = 20;

/// An objective that was declared.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// As it was declared.
    pub fields: ObjectiveFields,
    /// Who declared it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What it means; or why it is not in force, in a sentence.
    pub slo: std::result::Result<Slo, String>,
}

/// What was declared. Cheap to clone.
#[derive(Clone)]
pub struct Objectives(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    content: Content,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    declared: BTreeMap<String, Arc<Declared>>,
    measured: BTreeMap<String, Measured>,
    firing: Vec<Alert>,
}

impl Declared {
    /// How it is measured; none if it is not in force.
    #[must_use]
    pub fn live<'d>(&'d self, content: &'d Content, clock: Clock) -> Option<Live<'d>> {
        let slo = self.slo.as_ref().ok()?;
        let indicator = self.fields.indicator.as_deref().and_then(|name| content.slo(name));
        Some(Live::of(slo, indicator, clock))
    }
}

impl Objectives {
    /// Reads what was declared.
    ///
    /// # Errors
    /// When the file fails or has a row that cannot be read.
    pub async fn open(store: &Store, bus: &Bus, content: &Content) -> Result<Self> {
        let inner = Inner {
            store: store.clone(),
            bus: bus.clone(),
            content: content.clone(),
            held: RwLock::default(),
        };
        let objectives = Self(Arc::new(inner));
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT name, data, changed_by, changed_at FROM declared WHERE kind = 'objective' ORDER BY name",
        )
        .fetch_all(store.read())
        .await?;
        for (name, data, by, at) in rows {
            let fields: ObjectiveFields = serde_json::from_str(&data)?;
            let slo = objectives.read(&name, &fields).map_err(|why| why.to_string());
            if let Err(why) = &slo {
                tracing::warn!(
                    objective = name,
                    why,
                    "a declared objective does not fit, and is not in force"
                );
            }
            objectives.put(Declared { name, fields, by, at: from_micros(at), slo });
        }
        Ok(objectives)
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Declared>> {
        self.0.held.read().declared.values().cloned().collect()
    }

    /// One of them.
    #[must_use]
    pub fn declared(&self, name: &str) -> Option<Arc<Declared>> {
        self.0.held.read().declared.get(name).cloned()
    }

    /// What was last measured of one; nothing, if nobody has yet.
    #[must_use]
    pub fn measured(&self, name: &str) -> Measured {
        self.0.held.read().measured.get(name).cloned().unwrap_or_default()
    }

    /// The alerts that fire, as Prometheus would have them.
    #[must_use]
    pub fn firing(&self) -> Vec<Alert> {
        self.0.held.read().firing.clone()
    }

    /// Changes what is known of one, unless it was declared again meanwhile.
    pub(crate) fn keep(&self, one: &Declared, change: impl FnOnce(&mut Measured)) {
        let mut held = self.0.held.write();
        if held.declared.get(&one.name).is_some_and(|known| known.at == one.at) {
            change(held.measured.entry(one.name.clone()).or_default());
        }
    }

    /// Keeps which alerts fire.
    pub(crate) fn fire(&self, alerts: Vec<Alert>) {
        self.0.held.write().firing = alerts;
    }

    /// Declares an objective, or changes one that was declared. Says whether it is new.
    ///
    /// # Errors
    /// When a file has the name, fields are wrong, or there are too many.
    pub async fn declare(
        &self,
        changes: &Changes,
        by: &str,
        name: &str,
        fields: ObjectiveFields,
    ) -> Result<bool> {
        // Nobody else writes while this exists, so what is known now is known at the commit.
        let mut writing = self.0.store.begin().await?;
        let slo = self.read(name, &fields)?;
        let before = self.declared(name);
        if before.as_ref().is_some_and(|before| before.fields == fields && before.slo.is_ok()) {
            return Ok(false);
        }
        if before.is_none() && self.all().len() >= MOST {
            return Err(Error::Conflict(format!(
                "there are {MOST} such objectives already: withdraw one of them first"
            )));
        }
        let at = from_micros(micros(Utc::now()));
        sqlx::query(
            "INSERT OR REPLACE INTO declared (kind, name, data, changed_by, changed_at) \
             VALUES ('objective', ?1, ?2, ?3, ?4)",
        )
        .bind(name)
        .bind(serde_json::to_string(&fields)?)
        .bind(by)
        .bind(micros(at))
        .execute(&mut *writing)
        .await?;
        let verb = if before.is_some() { "changed" } else { "declared" };
        let (share, period) = (percent(slo.objective), slo.period.nominal());
        let text = format!("{by} has {verb} the objective {name}: {share} of events over {period}");
        let one = Declared { name: name.to_owned(), fields, by: by.to_owned(), at, slo: Ok(slo) };
        let objectives = self.clone();
        writing.after(move || objectives.put(one));
        self.finish(writing, changes, by, &text).await?;
        Ok(before.is_none())
    }

    /// Withdraws an objective that was declared.
    ///
    /// # Errors
    /// When it is a file's, or nobody's.
    pub async fn withdraw(&self, changes: &Changes, by: &str, name: &str) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        if self.declared(name).is_none() {
            self.free(name)?;
            return Err(self.unknown(name));
        }
        sqlx::query("DELETE FROM declared WHERE kind = 'objective' AND name = ?1")
            .bind(name)
            .execute(&mut *writing)
            .await?;
        let (objectives, own) = (self.clone(), name.to_owned());
        writing.after(move || {
            let mut held = objectives.0.held.write();
            held.declared.remove(&own);
            held.measured.remove(&own);
        });
        self.finish(writing, changes, by, &format!("{by} has withdrawn the objective {name}")).await
    }

    /// That there is no objective of this name, with those that there are.
    #[must_use]
    pub fn unknown(&self, name: &str) -> Error {
        let files = self.0.content.slos().iter().map(|slo| slo.name.clone());
        let known: Vec<String> = files.chain(self.0.held.read().declared.keys().cloned()).collect();
        Error::NoSuch { what: "objective", name: name.to_owned(), known: known.join(", ") }
    }

    async fn finish(&self, mut writing: Writing<'_>, changes: &Changes, by: &str, text: &str) -> Result<()> {
        changes.note(&mut writing, Change::of_configuration(by, text)).await?;
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    fn put(&self, one: Declared) {
        let mut held = self.0.held.write();
        held.measured.remove(&one.name);
        held.declared.insert(one.name.clone(), Arc::new(one));
    }

    /// What the fields mean under this name, which no file and no other objective has.
    fn read(&self, name: &str, fields: &ObjectiveFields) -> Result<Slo> {
        self.free(name)?;
        let files = self.0.content.slos();
        let slo = fields.read(name, files, &Content::metrics())?;
        let held = self.0.held.read();
        let declared = held.declared.values().filter_map(|one| one.slo.as_ref().ok());
        // Names may differ and still have one alert: `a1` and `a-1`.
        let same = |other: &&Slo| other.name != name && other.alert().eq_ignore_ascii_case(&slo.alert());
        match files.iter().chain(declared).find(same) {
            Some(other) => {
                let (alert, other) = (slo.alert(), &other.name);
                let expected = format!("expected a different name: `{other}` has the alert {alert} too");
                Err(Error::field("slo", expected))
            }
            None => Ok(slo),
        }
    }

    fn free(&self, name: &str) -> Result<()> {
        if self.0.content.slo(name).is_none() {
            return Ok(());
        }
        Err(Error::NotHere {
            what: format!("dashboards/slos has the objective `{name}`, and owns it"),
            next: "change the file, or take another name".to_owned(),
        })
    }
}
