//! What the numbers of a look mean for the timelines of incidents: how long an alert was pending, and when the indicator
//! was good again.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Evidence, Id, Incident, Source, State, What, incident::Member};
use observe::prometheus::Alert;

use super::{
    queries::{Numbers, what},
    sli,
};
use crate::{error::Result, eyes::links, room::Room};

/// How far back incidents that are over may still recover.
const RECENT: usize = 20;

/// Notes since when each alert of an open incident was pending before it fired. Prometheus keeps that time while the alert
/// fires, so that no poll has to hit the moment.
pub(super) async fn pending(room: &Room, alerts: &[Alert]) -> Result<()> {
    for incident in room.desk.open_ones() {
        let news: Vec<What> =
            incident.alerts.iter().filter_map(|one| was_pending(room, &incident, one, alerts)).collect();
        if !news.is_empty() {
            room.desk.act_all(incident.id, Source::System("prometheus".to_owned()), news).await?;
        }
    }
    Ok(())
}

fn was_pending(room: &Room, incident: &Incident, member: &Member, alerts: &[Alert]) -> Option<What> {
    let fired = &member.alert;
    if member.ended_at.is_some() {
        return None;
    }
    // Alertmanager may have added labels of its own.
    let same =
        |alert: &&Alert| alert.labels.iter().all(|(name, value)| fired.labels.get(name) == Some(value));
    let since = alerts.iter().find(same)?.active_at?;
    let text = format!("{} was pending", fired.name);
    let noted = incident.timeline.iter().any(|entry| entry.kind == EntryKind::Pending && entry.text == text);
    // An alert without a wait fires when its condition holds.
    if noted || fired.key.starts_at - since < TimeDelta::milliseconds(500) {
        return None;
    }
    let query = format!("ALERTS{{alertname=\"{}\"}}", fired.name);
    let answer =
        format!("its condition held {} s before it fired", (fired.key.starts_at - since).num_seconds());
    let link = Some(links::explore(&room.config.base(), &query));
    let evidence = vec![Evidence { query, answer, link }];
    Some(What::Noted { kind: EntryKind::Pending, happened_at: since, text, evidence, sealed: false })
}

/// Whether the indicators of an incident were bad, and since when they are good.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trend {
    /// Objectives that were missed.
    bad: Vec<String>,
    good_since: Option<DateTime<Utc>>,
}

impl Trend {
    /// Takes the objectives that are missed now. Returns since when all are met again, once that has lasted for `hold`.
    fn step(&mut self, missed: &[&str], now: DateTime<Utc>, hold: TimeDelta) -> Option<DateTime<Utc>> {
        for slo in missed {
            if !self.bad.iter().any(|known| known == slo) {
                self.bad.push((*slo).to_owned());
            }
        }
        if !missed.is_empty() || self.bad.is_empty() {
            self.good_since = None;
            return None;
        }
        let since = *self.good_since.get_or_insert(now);
        (now - since >= hold).then_some(since)
    }

    /// The event, and back to the beginning.
    fn recovered(&mut self, since: DateTime<Utc>) -> What {
        let names = std::mem::take(self).bad.join(", ");
        What::Recovered { what: names, since }
    }
}

/// Notes the recovery of incidents whose indicators are good again.
pub(super) async fn recovered(room: &Room, numbers: &Numbers, now: DateTime<Utc>) -> Result<()> {
    let clock = room.config.clock;
    let hold = TimeDelta::milliseconds((clock.base().secs() * 1000.0) as i64);
    let incidents = following(room);
    room.watch.0.trends.lock().retain(|id, _| incidents.iter().any(|incident| incident.id == *id));
    for incident in incidents {
        let slos = sli::of(room.content.slos(), &incident);
        let ratios: Vec<_> =
            slos.iter().filter_map(|slo| Some((*slo, numbers.get(what::SLI, &slo.name)?))).collect();
        if ratios.is_empty() {
            continue;
        }
        let missed = ratios.iter().filter(|(slo, ratio)| sli::is_bad(slo, *ratio));
        let missed: Vec<&str> = missed.map(|(slo, _)| slo.name.as_str()).collect();
        let names: Vec<&str> = ratios.iter().map(|(slo, _)| slo.name.as_str()).collect();
        let event = {
            let mut trends = room.watch.0.trends.lock();
            let trend = trends.entry(incident.id).or_insert_with(|| first(&incident, &names));
            trend.step(&missed, now, hold).map(|since| trend.recovered(since))
        };
        if let Some(event) = event {
            room.desk.act(incident.id, Source::System("prometheus".to_owned()), event).await?;
        }
    }
    Ok(())
}

/// Notes at once what is good again: an incident resolves, and its draft needs the time.
pub(super) async fn recovered_now(room: &Room, id: Id) -> Result<()> {
    let event = {
        let mut trends = room.watch.0.trends.lock();
        trends.get_mut(&id).and_then(|trend| trend.good_since.map(|since| trend.recovered(since)))
    };
    if let Some(event) = event {
        room.desk.act(id, Source::System("prometheus".to_owned()), event).await?;
    }
    Ok(())
}

/// Open incidents, and those that resolved before their indicator was good.
fn following(room: &Room) -> Vec<std::sync::Arc<Incident>> {
    let mut incidents = room.desk.open_ones();
    let over = room.desk.recent(RECENT).into_iter();
    incidents.extend(over.filter(|one| one.state == State::Resolved && one.times.recovered.is_none()));
    incidents
}

/// After a restart of this program, what was noted says whether the indicators were bad.
fn first(incident: &Incident, names: &[&str]) -> Trend {
    let bad = incident.times.symptom.is_some() && incident.times.recovered.is_none();
    let bad = if bad { names.iter().map(|&name| name.to_owned()).collect() } else { Vec::new() };
    Trend { bad, good_since: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_is_noted_once_all_objectives_are_met_for_a_while() {
        let start: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let (mut trend, hold) = (Trend::default(), TimeDelta::seconds(5));
        assert_eq!(trend.step(&[], at(0), hold), None, "nothing was bad");
        assert_eq!(trend.step(&["a"], at(1), hold), None);
        assert_eq!(trend.step(&["a", "b"], at(2), hold), None);
        assert_eq!(trend.step(&["b"], at(3), hold), None, "one of two is not enough");
        assert_eq!(trend.step(&[], at(4), hold), None);
        assert_eq!(trend.step(&["a"], at(6), hold), None, "it came back");
        assert_eq!(trend.step(&[], at(10), hold), None);
        assert_eq!(trend.step(&[], at(15), hold), Some(at(10)));
        let expected = What::Recovered { what: "a, b".to_owned(), since: at(10) };
        assert_eq!(trend.recovered(at(10)), expected);
        assert_eq!(trend.step(&[], at(30), hold), None, "it is noted once");
    }
}
