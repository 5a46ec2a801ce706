//! Rules that were declared by the API, beside those of `guardrails.yaml`. They deny and can do nothing else: a rule that
//! denies wins over all others, so whatever is declared makes the guardrails stricter, and never wider.
//!
//! A rule of the file with the same name that comes later takes nothing away: both hold.

use chrono::{DateTime, Utc};
use runbook::{Problems, guardrails::Rule, read::LONGEST};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Runbooks, audit};
use crate::{
    access::Visitor,
    bus::Kind,
    changes::Change,
    error::{Error, Result},
    room::Room,
    store::{
        Store, Writing,
        time::{from_micros, micros},
    },
};

/// What is denied. A list that is empty means all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DenialFields {
    /// Why, in a sentence.
    pub why: String,
    /// Verbs of runbooks, such as restart.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// Services, postgres, redis, alertmanager.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Names of runbooks.
    #[serde(default)]
    pub runbooks: Vec<String>,
}

/// A rule that denies, and who declared it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Denial {
    /// Its name.
    pub name: String,
    /// What it denies.
    #[serde(flatten)]
    pub fields: DenialFields,
    /// Who declared it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Denial {
    /// The rule, as the reader of the file takes it.
    pub(super) fn rule(&self) -> std::result::Result<Rule, Problems> {
        let DenialFields { why, verbs, targets, runbooks } = &self.fields;
        let rule = json!({
            "name": self.name, "why": why, "then": "deny", "verbs": verbs, "targets": targets, "runbooks": runbooks,
        });
        let text = json!({ "rules": [rule] }).to_string();
        // Exactly one, as the text has exactly one.
        runbook::read_rules("api", &text)?.pop().ok_or(Problems(Vec::new()))
    }
}

impl Runbooks {
    /// Rules that were declared, by name.
    #[must_use]
    pub fn denials(&self) -> Vec<Denial> {
        self.0.library.denials()
    }

    /// One of them.
    ///
    /// # Errors
    /// When none has this name.
    pub fn denial(&self, name: &str) -> Result<Denial> {
        let all = self.denials();
        let known: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let unknown = Error::NoSuch { what: "guardrail of the API", name: name.to_owned(), known };
        all.into_iter().find(|one| one.name == name).ok_or(unknown)
    }

    /// Declares a rule that denies, or changes it. Says whether it is new.
    ///
    /// # Errors
    /// When `guardrails.yaml` has the name, a value is wrong, there are too many, or a trainee would change a rule in
    /// somebody else's drill.
    pub async fn deny(&self, room: &Room, by: &Visitor, name: &str, fields: DenialFields) -> Result<bool> {
        let denial = Denial {
            name: name.to_owned(),
            fields,
            by: by.name.clone(),
            at: from_micros(micros(Utc::now())),
        };
        denial.rule().map_err(|problems| wrong(&problems))?;
        // Nobody else writes while this exists, so what is known now is known at the commit.
        let mut writing = self.0.store.begin().await?;
        let all = self.denials();
        let before = all.iter().find(|one| one.name == name);
        if before.is_some_and(|before| before.fields == denial.fields) {
            return Ok(false);
        }
        if self.0.library.file_has(name) {
            return Err(Error::NotHere {
                what: format!("guardrails.yaml has the rule `{name}`, and owns it"),
                next: "change the file, or take another name".to_owned(),
            });
        }
        // As many as the file may have.
        if before.is_none() && all.len() >= LONGEST {
            return Err(Error::Conflict(format!(
                "there are {LONGEST} such rules already: withdraw one of them first"
            )));
        }
        let new = before.is_none();
        if !new {
            // It may deny less than before.
            alone(room, by)?;
        }
        sqlx::query(
            "INSERT OR REPLACE INTO declared (kind, name, data, changed_by, changed_at) \
             VALUES ('guardrail', ?1, ?2, ?3, ?4)",
        )
        .bind(name)
        .bind(serde_json::to_string(&denial.fields)?)
        .bind(&denial.by)
        .bind(micros(denial.at))
        .execute(&mut *writing)
        .await?;
        let mut after = all;
        after.retain(|one| one.name != name);
        let verb = if new { "declared" } else { "changed" };
        let text = format!("{} has {verb} the guardrail {name}: {}", by.name, denial.fields.why);
        after.push(denial);
        self.finish(room, writing, by, "guardrail.declared", (name, text.as_str()), after).await?;
        Ok(new)
    }

    /// Withdraws a rule that was declared: what the file says holds again.
    ///
    /// # Errors
    /// When none has this name, or a trainee would do so in somebody else's drill.
    pub async fn withdraw_denial(&self, room: &Room, by: &Visitor, name: &str) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        self.denial(name)?;
        alone(room, by)?;
        sqlx::query("DELETE FROM declared WHERE kind = 'guardrail' AND name = ?1")
            .bind(name)
            .execute(&mut *writing)
            .await?;
        let mut after = self.denials();
        after.retain(|one| one.name != name);
        let text = format!("{} has withdrawn the guardrail {name}", by.name);
        self.finish(room, writing, by, "guardrail.withdrawn", (name, text.as_str()), after).await
    }

    /// Commits with an entry in the audit log, in the journal and in the list of changes, and then puts it into force.
    async fn finish(
        &self,
        room: &Room,
        mut writing: Writing<'_>,
        by: &Visitor,
        action: &str,
        (name, text): (&str, &str),
        mut after: Vec<Denial>,
    ) -> Result<()> {
        let change = Change::of_configuration(&by.name, text);
        let declared = after.iter().find(|one| one.name == name);
        let data = json!({ "rule": name, "denies": declared.map(|one| &one.fields) });
        audit::add(&mut writing, change.at, &by.name, action, &data).await?;
        let news = json!({ "guardrail": name, "by": by.name, "text": text });
        writing.journal(change.at, Kind::Runbook, None, false, &news).await?;
        room.changes.note(&mut writing, change).await?;
        after.sort_by_cached_key(|one| one.name.clone());
        let runbooks = self.clone();
        writing.after(move || runbooks.0.library.set_denials(after));
        writing.commit(&self.0.bus).await?;
        Ok(())
    }
}

/// Refuses a trainee who would widen what automation may do in somebody else's drill.
fn alone(room: &Room, by: &Visitor) -> Result<()> {
    match room.drills.taken_by_another(room, by) {
        Some(responder) => Err(Error::ForInstructors(format!(
            "{responder} is in a drill: only {responder} or an instructor may do this now"
        ))),
        None => Ok(()),
    }
}

/// Each field that is wrong, as a pointer into the request; the name is in the path.
fn wrong(problems: &Problems) -> Error {
    let field = |path: &str| match path.strip_prefix("rules[0]").unwrap_or(path) {
        "" => "body".to_owned(),
        ".name" => "rule".to_owned(),
        rest => rest.replace(['.', '['], "/").replace(']', ""),
    };
    let each = problems.0.iter().map(|problem| (field(&problem.field), problem.message.clone()));
    Error::Fields(each.collect())
}

/// What was declared, by name.
pub(super) async fn load(store: &Store) -> Result<Vec<Denial>> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT name, data, changed_by, changed_at FROM declared WHERE kind = 'guardrail' ORDER BY name",
    )
    .fetch_all(store.read())
    .await?;
    let denial = |(name, data, by, at): (String, String, String, i64)| {
        Ok::<_, Error>(Denial { name, fields: serde_json::from_str(&data)?, by, at: from_micros(at) })
    };
    rows.into_iter().map(denial).collect()
}
