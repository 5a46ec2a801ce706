//! Whether automation acts: the switch, which is the kill switch, and the breaker. Off is off at once: what
//! automation has begun is stopped where it is, and a person decides about the rest.
//!
//! What counts is the last turn by hand. The setting AUTOMATION counts until then.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use runbook::{
    Guardrails, Mode, What, Who,
    guardrails::{Entry, Ledger, Noted},
};
use serde_json::json;

use super::{
    Runbooks, audit, rows,
    view::{AutomationView, SwitchView},
};
use crate::{
    access::Visitor,
    bus::Kind,
    error::{Error, Result},
    room::Room,
    store::Writing,
};

/// Who has switched, if it was the setting.
const SETTING: &str = "AUTOMATION";
/// How many turns of the switch are shown.
const SHOWN: usize = 20;

/// What guardrails keep in mind, and the turns of the switch.
#[derive(Clone)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    /// Newest last.
    turns: Vec<SwitchView>,
    /// Since when the breaker is open.
    broken: Option<DateTime<Utc>>,
}

impl State {
    /// What the rows add up to. Before the first one automation is off.
    pub(super) fn replay(rails: &Guardrails, speed: u32, all: &[Noted]) -> Self {
        let mut state = Self { ledger: Ledger::default(), turns: Vec::new(), broken: None };
        let (by, why) = ("the control room".to_owned(), "nobody has switched it on".to_owned());
        let off = Noted { at: Utc::now(), entry: Entry::Switched { on: false, by, why } };
        let first = all.first().map_or(off.at, |noted| noted.at);
        let _ = state.note(rails, speed, &Noted { at: first, ..off });
        for noted in all {
            let _ = state.note(rails, speed, noted);
        }
        state
    }

    /// Takes an entry. Answers what to page a person with.
    pub(super) fn note(&mut self, rails: &Guardrails, speed: u32, noted: &Noted) -> Option<String> {
        if let Entry::Switched { on, by, why } = &noted.entry {
            self.turns.push(SwitchView { at: noted.at, on: *on, by: by.clone(), why: why.clone() });
            self.broken = None;
        }
        let page = self.ledger.note(rails, speed, noted);
        if page.is_some() {
            self.broken = Some(noted.at);
        }
        page
    }

    /// Whether a person has switched it on.
    pub(super) fn is_on_by_hand(&self) -> bool {
        self.ledger.off().is_none() && self.turns.len() > 1 && self.turns.last().is_some_and(by_hand)
    }

    fn view(&self) -> AutomationView {
        // The first one is what holds before anybody switches.
        let recent: Vec<SwitchView> = self.turns.iter().skip(1).rev().take(SHOWN).cloned().collect();
        let breaker = self.ledger.off().filter(|_| self.broken.is_some()).map(str::to_owned);
        let last = self.turns.last();
        let (by, why) = match &breaker {
            Some(why) => ("automation".to_owned(), why.clone()),
            None => last.map(|turn| (turn.by.clone(), turn.why.clone())).unwrap_or_default(),
        };
        let since = self.broken.or(last.map(|turn| turn.at)).unwrap_or_default();
        AutomationView { on: self.ledger.off().is_none(), since, by, why, breaker, recent }
    }
}

fn by_hand(turn: &SwitchView) -> bool {
    turn.by != SETTING
}

impl Runbooks {
    /// Whether automation acts, since when and why.
    #[must_use]
    pub fn automation(&self) -> AutomationView {
        self.0.state.read().view()
    }

    /// Whether it is on.
    pub(super) fn is_on(&self) -> bool {
        self.0.state.read().ledger.off().is_none()
    }

    /// What AUTOMATION says. Counts until somebody uses the switch.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn by_default(&self, on: bool) -> Result<()> {
        let (turned, now) = {
            let state = self.0.state.read();
            let last = state.turns.last();
            (state.turns.len() > 1 && last.is_some_and(by_hand), last.is_some_and(|turn| turn.on))
        };
        if turned || now == on {
            return Ok(());
        }
        self.turn(on, SETTING, "as the control room was started").await
    }

    /// Switches automation on or off. Off also stops what runs by itself; nothing is taken back.
    ///
    /// # Errors
    /// When there is no reason, a trainee switches it on in somebody else's drill, or the file fails.
    pub async fn switch(&self, room: &Room, by: &Visitor, on: bool, why: &str) -> Result<AutomationView> {
        if why.trim().is_empty() {
            return Err(Error::field("/why", "a few words for those who ask why it is on or off"));
        }
        // Off is always possible: it is the kill switch.
        if on && let Some(responder) = room.drills.taken_by_another(room, by) {
            let said =
                format!("{responder} is in a drill: only {responder} or an instructor may do this now");
            return Err(Error::ForInstructors(said));
        }
        self.turn(on, &by.name, why).await?;
        room.metrics.runbooks.automation(self.is_on());
        if !on {
            self.stop_all(room, &by.name, why).await;
        }
        Ok(self.automation())
    }

    async fn turn(&self, on: bool, by: &str, why: &str) -> Result<()> {
        let now = Utc::now();
        let mut writing = self.0.store.begin().await?;
        let entry = Entry::Switched { on, by: by.to_owned(), why: why.to_owned() };
        self.note(&mut writing, vec![Noted { at: now, entry }]).await?;
        let action = if on { "automation.on" } else { "automation.off" };
        audit::add(&mut writing, now, by, action, &json!({ "why": why })).await?;
        let news = json!({ "automation": on, "by": by, "why": why });
        writing.journal(now, Kind::Runbook, None, false, &news).await?;
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    /// Keeps what guardrails have to keep in mind; in memory once it is committed.
    pub(super) async fn note(&self, writing: &mut Writing<'_>, all: Vec<Noted>) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        // Nobody else writes while `writing` exists, so this stays what is committed.
        let mut state = self.0.state.read().clone();
        let rails = self.0.library.rails();
        for noted in &all {
            rows::put_noted(writing, noted).await?;
            if let Some(text) = state.note(&rails, self.0.speed, noted) {
                rows::put_page(writing, noted.at, &text).await?;
                let data = json!({ "why": text });
                audit::add(writing, noted.at, "automation", "automation.broken", &data).await?;
            }
        }
        let inner = Arc::clone(&self.0);
        writing.after(move || *inner.state.write() = state);
        Ok(())
    }

    /// Stops every run that continues by itself.
    async fn stop_all(&self, room: &Room, by: &str, why: &str) {
        for live in self.under_way() {
            if live.run().mode() != Mode::Auto {
                continue;
            }
            let (by, why) = (Who::Person(by.to_owned()), format!("automation was switched off: {why}"));
            let stopped = self.record(room, &live, |_, _| Some(What::Stopped { by, why })).await;
            match stopped {
                // It has ended by itself meanwhile.
                Ok(()) | Err(Error::Runbook(_)) => {}
                // The guardrails hold it back from its next act in any case.
                Err(error) => tracing::error!(run = live.run().id(), %error, "a run could not be stopped"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bus::Bus, content::Content, store::Store};

    async fn open(store: &Store) -> Runbooks {
        Runbooks::open(store, &Bus::default(), &Content::open(None).unwrap(), 60).await.unwrap()
    }

    #[tokio::test]
    async fn the_setting_counts_until_somebody_uses_the_switch() {
        let store = Store::open(None).await.unwrap();
        let runbooks = open(&store).await;
        runbooks.by_default(false).await.unwrap();
        let off = runbooks.automation();
        assert_eq!((off.on, off.why.as_str(), off.recent.len()), (false, "nobody has switched it on", 0));
        runbooks.by_default(true).await.unwrap();
        assert!(runbooks.is_on() && !runbooks.0.state.read().is_on_by_hand());
        let again = open(&store).await;
        assert!(again.is_on(), "it is in the file");
        again.turn(false, "ada", "it makes things worse").await.unwrap();
        let later = open(&store).await;
        later.by_default(true).await.unwrap();
        let view = later.automation();
        assert_eq!((view.on, view.by.as_str(), view.recent.len()), (false, "ada", 2));
        later.turn(true, "ada", "fixed").await.unwrap();
        assert!(later.0.state.read().is_on_by_hand());
        let log = later.audit().await.unwrap();
        runbook::audit::verify_export(&log, None).unwrap();
        assert_eq!(log.matches("automation.o").count(), 3, "{log}");
    }

    #[tokio::test]
    async fn the_breaker_switches_off_and_only_a_person_switches_on_again() {
        let store = Store::open(None).await.unwrap();
        let runbooks = open(&store).await;
        runbooks.by_default(true).await.unwrap();
        for run in ["RUN-1", "RUN-2"] {
            let mut writing = store.begin().await.unwrap();
            let entry = Entry::Ended { run: run.to_owned(), failed: true };
            runbooks.note(&mut writing, vec![Noted { at: Utc::now(), entry }]).await.unwrap();
            writing.commit(&Bus::default()).await.unwrap();
        }
        for runbooks in [runbooks, open(&store).await] {
            runbooks.by_default(true).await.unwrap();
            let view = runbooks.automation();
            assert!(!view.on && view.breaker.unwrap().contains("2 runs within 6h did not help"));
        }
        let mut reader = store.read().acquire().await.unwrap();
        assert_eq!(rows::pages(&mut reader).await.unwrap().len(), 1, "a person is paged once");
        drop(reader);
        let again = open(&store).await;
        again.turn(true, "ada", "the cause is fixed").await.unwrap();
        let view = again.automation();
        assert_eq!((view.on, view.breaker), (true, None));
    }
}
