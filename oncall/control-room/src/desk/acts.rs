//! What people and rules do to incidents. Each is refused as a whole or done as a whole.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use incident::{Id, Incident, Source, State, Task, What};

use super::{Desk, New, draft::Draft, rows};
use crate::{
    error::{Error, Result},
    store::Writing,
};

/// Longest name of a service, in characters.
const LONGEST_SERVICE: usize = 100;

impl Desk {
    /// Opens an incident.
    ///
    /// # Errors
    /// When the title or a service cannot be used, or the file fails.
    pub async fn create(&self, by: Source, new: New) -> Result<Arc<Incident>> {
        let writing = self.0.store.begin().await?;
        self.create_with(writing, by, new, Vec::new()).await
    }

    /// Opens an incident, and the first that happens to it, together with what the caller has written: all of it is committed,
    /// or nothing.
    ///
    /// # Errors
    /// As [`Desk::create`], and as [`Desk::act`].
    pub async fn create_with(
        &self,
        writing: Writing<'_>,
        by: Source,
        new: New,
        what: Vec<What>,
    ) -> Result<Arc<Incident>> {
        let wrong = |name: &&String| name.trim().is_empty() || name.chars().count() > LONGEST_SERVICE;
        if let Some(wrong) = new.services.iter().find(wrong) {
            let expected = format!("expected names of 1 to {LONGEST_SERVICE} characters, found `{wrong}`");
            return Err(Error::field("services", expected));
        }
        let mut draft = Draft::new(self, writing, by, Utc::now());
        let id = draft.open(new, None).await?;
        for what in what {
            draft.apply(id, what).await?;
        }
        draft.finish(id).await
    }

    /// The number of the incident that is opened next with this transaction.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn next_id(&self, writing: &mut Writing<'_>) -> Result<Id> {
        rows::next(writing).await
    }

    /// Something happens to an incident, now.
    ///
    /// # Errors
    /// [`Error::NoIncident`], [`Error::Refused`] with what is possible, or when the file fails.
    pub async fn act(&self, id: Id, by: Source, what: What) -> Result<Arc<Incident>> {
        self.act_all(id, by, vec![what]).await
    }

    /// Several things happen to an incident: all, or none if one is refused.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub async fn act_all(&self, id: Id, by: Source, what: Vec<What>) -> Result<Arc<Incident>> {
        let writing = self.0.store.begin().await?;
        self.act_with(writing, id, by, what).await
    }

    /// The same together with what the caller has written, which is committed with it or not at all.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub async fn act_with(
        &self,
        writing: Writing<'_>,
        id: Id,
        by: Source,
        what: Vec<What>,
    ) -> Result<Arc<Incident>> {
        let mut draft = Draft::new(self, writing, by, Utc::now());
        for what in what {
            draft.apply(id, what).await?;
        }
        draft.finish(id).await
    }

    /// The same thing happens to every open incident that affects a service, or to every open one at all, together with what the
    /// caller has written.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub async fn act_on_service(
        &self,
        writing: Writing<'_>,
        service: Option<&str>,
        by: Source,
        what: &What,
    ) -> Result<()> {
        let mut draft = Draft::new(self, writing, by, Utc::now());
        let affects = |one: &&Incident| service.is_none_or(|service| one.services.contains(service));
        let affected = draft.incidents().filter(|one| one.state.is_open()).filter(affects);
        let affected: Vec<Id> = affected.map(|incident| incident.id).collect();
        for id in affected {
            draft.apply(id, what.clone()).await?;
        }
        draft.commit().await
    }

    /// Adds a task and gives it its number.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub async fn task(
        &self,
        id: Id,
        by: Source,
        text: &str,
        owner: Option<String>,
        due: Option<NaiveDate>,
        follow_up: bool,
    ) -> Result<Arc<Incident>> {
        let mut draft = self.draft(by).await?;
        let number = draft.load(id).await?.tasks.iter().map(|task| task.id).max().unwrap_or(0) + 1;
        let task = Task { id: number, text: text.to_owned(), owner, due, follow_up, done_at: None };
        draft.apply(id, What::TaskAdded { task }).await?;
        draft.finish(id).await
    }

    /// States a hypothesis and gives it its number.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub async fn hypothesis(&self, id: Id, by: Source, text: &str) -> Result<Arc<Incident>> {
        let mut draft = self.draft(by).await?;
        let known = &draft.load(id).await?.hypotheses;
        let number = known.iter().map(|hypothesis| hypothesis.id).max().unwrap_or(0) + 1;
        draft.apply(id, What::HypothesisStated { id: number, text: text.to_owned() }).await?;
        draft.finish(id).await
    }

    /// Resolves every incident whose alerts have been clear for long enough. Answers when to look again, if nothing happens
    /// before.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn resolve_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        if self.next_resolution().is_some_and(|at| at <= now) {
            let writing = self.0.store.begin().await?;
            let mut draft = Draft::new(self, writing, Source::ControlRoom, now);
            let is_due = |one: &&Incident| one.resolves_at(self.0.speed).is_some_and(|at| at <= now);
            let due = draft.incidents().filter(is_due);
            let fires = |one: &Incident| one.alerts.iter().any(|member| member.ended_at.is_none());
            let due: Vec<_> = due.filter_map(|one| Some((one.id, one.clear_since()?, fires(one)))).collect();
            for (id, since, fires) in due {
                let what = if fires { "nothing but tickets about budgets" } else { "no alert" };
                let why = format!("{what} has fired since {} UTC", since.format("%H:%M:%S"));
                draft.apply(id, What::Moved { to: State::Resolved, why }).await?;
            }
            draft.commit().await?;
        }
        Ok(self.next_resolution())
    }

    fn next_resolution(&self) -> Option<DateTime<Utc>> {
        let memory = self.0.memory.read();
        memory.incidents.values().filter_map(|incident| incident.resolves_at(self.0.speed)).min()
    }

    pub(super) async fn draft(&self, by: Source) -> Result<Draft<'_>> {
        let writing = self.0.store.begin().await?;
        Ok(Draft::new(self, writing, by, Utc::now()))
    }
}
