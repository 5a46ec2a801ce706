//! What other systems send: alerts of Alertmanager and events of the PagerDuty API. A message is one transaction: after a
//! failure the sender repeats it, and nothing of it has happened.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{
    Id, Source, State, What,
    alerts::{Alert, AlertKey, Change, Labels, alertmanager, pagerduty},
    correlate::Verdict,
    watchdog,
};
use serde_json::json;

use super::{Desk, New, Taken, draft::Draft, rows, title};
use crate::{
    bus::{Kind, Notice},
    error::Result,
    phone::{Page, Phone},
};

/// How long an alert that ended is remembered: a late message about its end is then known to be one.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

impl Desk {
    /// Takes a message of Alertmanager.
    ///
    /// # Errors
    /// When the file fails; what cannot be used of the message is in [`Taken::ignored`].
    pub async fn alertmanager(&self, message: &alertmanager::Webhook) -> Result<Taken> {
        let beats = message.alerts.iter().filter(|notice| is_heartbeat(notice) && notice.status == "firing");
        let alarms = beats.count();
        if alarms > 0 {
            self.heard();
        }
        let taken = Taken { alarms, ..Taken::default() };
        if message.alerts.iter().all(is_heartbeat) {
            return Ok(taken);
        }
        let draft = self.draft(Source::System("alertmanager".to_owned())).await?;
        let mut intake = Intake { draft, taken, rows: 0 };
        let now = intake.draft.at;
        let changes = intake.draft.book().alertmanager(message, now);
        for (notice, change) in message.alerts.iter().zip(changes) {
            if !is_heartbeat(notice) {
                intake.take(change, &notice.annotations).await?;
            }
        }
        intake.finish().await
    }

    /// Takes an event of the PagerDuty Events API. `dedup_key` is the event's own, or the one that was made for it.
    ///
    /// # Errors
    /// As [`Desk::alertmanager`].
    pub async fn pagerduty(&self, event: &pagerduty::Event, dedup_key: &str) -> Result<Taken> {
        let draft = self.draft(Source::System("pagerduty".to_owned())).await?;
        let mut intake = Intake { draft, taken: Taken::default(), rows: 0 };
        let now = intake.draft.at;
        let change = intake.draft.book().pagerduty(event, dedup_key, now);
        intake.take(change, &BTreeMap::new()).await?;
        intake.finish().await
    }

    /// Monitoring is alive.
    fn heard(&self) {
        let data = json!({ "watchdog": true });
        let at = Utc::now();
        self.0.bus.tell(Notice { seq: 0, at, kind: Kind::Watch, incident: None, sealed: false, data });
    }
}

/// Whether it proves only that monitoring works.
fn is_heartbeat(notice: &alertmanager::Notice) -> bool {
    notice.labels.get("alertname").is_some_and(|name| name == watchdog::NAME)
}

/// One message.
struct Intake<'s> {
    draft: Draft<'s>,
    taken: Taken,
    /// How many alerts have changed.
    rows: usize,
}

impl Intake<'_> {
    async fn take(&mut self, change: Change, annotations: &Labels) -> Result<()> {
        match change {
            Change::Fired(alert) => self.fired(*alert, annotations).await?,
            Change::Cleared(key, ended) => self.cleared(key, ended, annotations).await?,
            Change::Acknowledged(key) => self.acknowledged(&key).await?,
            Change::Repeated(_) => {}
            Change::Unknown(key) => self.ignore(format!("{}: is not known to fire", key.fingerprint)),
            Change::Unusable(why) => self.ignore(why),
        }
        Ok(())
    }

    async fn fired(&mut self, alert: Alert, annotations: &Labels) -> Result<()> {
        let at = self.draft.at;
        self.note(&alert.key, true).await?;
        let page = Page::of_alert(&alert, annotations.clone(), None, at);
        let id = match self.draft.decide(&alert) {
            Verdict::Join(id) => id,
            Verdict::Reopen(id) => {
                let why = format!("{} fires again", alert.name);
                self.draft.apply_rule(id, What::Moved { to: State::Active, why }).await?;
                id
            }
            Verdict::Open { previous } => {
                let services = alert.service.iter().cloned().collect();
                let new = New {
                    title: title::of_alert(&alert),
                    description: String::new(),
                    severity: alert.severity,
                    services,
                };
                let id = self.draft.open(new, previous).await?;
                self.taken.opened.push(id);
                id
            }
        };
        self.join(id, alert).await?;
        self.changed(id);
        Phone::keep_in(&mut self.draft.writing, &Page { incident: Some(id), ..page }).await
    }

    /// The alert joins; the title and the severity follow, unless people know better.
    async fn join(&mut self, id: Id, alert: Alert) -> Result<()> {
        let incident = self.draft.load(id).await?;
        let is_new = alert.service.as_ref().is_some_and(|service| !incident.services.contains(service));
        let grows = is_new && title::by_rule(incident).is_some_and(|title| title == incident.title);
        let worst = incident.alerts.iter().map(|member| member.alert.severity).min();
        let rises = alert.severity < incident.severity && worst.is_none_or(|worst| alert.severity < worst);
        let worse = rises.then(|| (alert.severity, format!("{} is {}", alert.name, alert.severity)));
        self.draft.apply(id, What::AlertFired { alert: Box::new(alert) }).await?;
        if let Some((severity, why)) = worse {
            self.draft.apply_rule(id, What::SeveritySet { severity, why }).await?;
        }
        if grows {
            let title = title::by_rule(self.draft.load(id).await?);
            if let Some(title) = title {
                self.draft.apply_rule(id, What::Renamed { title }).await?;
            }
        }
        Ok(())
    }

    async fn cleared(&mut self, key: AlertKey, ended_at: DateTime<Utc>, annotations: &Labels) -> Result<()> {
        let at = self.draft.at;
        self.note(&key, false).await?;
        let Some((id, alert)) = self.find(&key) else {
            let name = &key.fingerprint;
            self.ignore(format!("{name}: cleared, and its incident ended long ago"));
            return Ok(());
        };
        let page = Page::of_alert(&alert, annotations.clone(), Some(ended_at), at);
        self.draft.apply(id, What::AlertCleared { key, ended_at }).await?;
        self.changed(id);
        Phone::keep_in(&mut self.draft.writing, &Page { incident: Some(id), ..page }).await
    }

    async fn acknowledged(&mut self, key: &AlertKey) -> Result<()> {
        let open = self.find(key).map(|(id, _)| id);
        let open = open.filter(|id| self.draft.incidents().any(|one| one.id == *id && one.state.is_open()));
        if let Some(id) = open {
            self.draft.apply(id, What::Acknowledged).await?;
            self.changed(id);
        } else {
            self.ignore(format!("{}: its incident is not open", key.fingerprint));
        }
        Ok(())
    }

    /// The incident in which an alert fires.
    fn find(&self, key: &AlertKey) -> Option<(Id, Alert)> {
        self.draft.incidents().rev().find_map(|incident| {
            let fires =
                incident.alerts.iter().find(|member| member.alert.key == *key && member.ended_at.is_none());
            fires.map(|member| (incident.id, member.alert.clone()))
        })
    }

    async fn note(&mut self, key: &AlertKey, firing: bool) -> Result<()> {
        self.rows += 1;
        let at = self.draft.at;
        rows::put_alert(&mut self.draft.writing, key, firing, at).await
    }

    fn changed(&mut self, id: Id) {
        if !self.taken.opened.contains(&id) && !self.taken.changed.contains(&id) {
            self.taken.changed.push(id);
        }
    }

    fn ignore(&mut self, why: String) {
        self.taken.ignored.push(why);
    }

    /// Commits; a message that only repeats what is known writes nothing.
    async fn finish(mut self) -> Result<Taken> {
        if self.rows > 0 || !self.taken.changed.is_empty() {
            let before = self.draft.at - REMEMBERED;
            self.draft.book().forget(before);
            rows::forget_alerts(&mut self.draft.writing, before).await?;
            self.draft.commit().await?;
        }
        Ok(self.taken)
    }
}
