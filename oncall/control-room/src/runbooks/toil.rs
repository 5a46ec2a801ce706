//! The ledger of toil: steps of runs, time on incidents, acts by hand. Each minute of a person counts once:
//! the time on an incident is cut where the person was busy with a runbook, and what led to an act by hand
//! belongs to the act.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Id, Incident, Source};
use runbook::{
    Run, Runbook,
    model::Task,
    toil::{Class, Entry, Report, Span, of_run, report},
};
use sqlx::SqliteConnection;

use super::Runbooks;
use crate::{
    error::{Error, Result},
    room::Room,
    store::{key, time},
};

/// Longest span of a report; no calendar of shifts is longer.
const LONGEST: TimeDelta = TimeDelta::days(400);
/// What it costs to automate a task whose runbook acts: only a guardrail is missing.
const GUARDRAIL: Duration = Duration::from_secs(3600);
/// The same, if its runbook only leads a person: it needs an act, what takes it back, and a proof. A task without a
/// runbook costs what the report assumes, a day of work.
const ACT: Duration = Duration::from_secs(4 * 3600);

impl Runbooks {
    /// What people and automation did since a time, and what of it is worth automating.
    ///
    /// # Errors
    /// When the time is wrong, or the file fails or has what cannot be read.
    pub async fn toil(&self, since: DateTime<Utc>) -> Result<Report> {
        let now = Utc::now();
        if since >= now || now - since > LONGEST {
            let days = LONGEST.num_days();
            let expected = format!("a time in the last {days} days, found {since}");
            return Err(Error::field("since", expected));
        }
        // What was before the span tells what was before automation.
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM toil WHERE from_at >= ?")
            .bind(time::micros(now - LONGEST))
            .fetch_all(self.0.store.read())
            .await?;
        let entries: serde_json::Result<Vec<Entry>> =
            rows.iter().map(|data| serde_json::from_str(data)).collect();
        let span = Span { from: since, until: now };
        Ok(report(&entries?, span, self.on_call(span), &costs(&self.all())))
    }

    /// The time that all people together were on call for it.
    fn on_call(&self, span: Span) -> Duration {
        let Some(duty) = self.0.duty.get() else { return Duration::ZERO };
        let rota = duty.rota();
        let shifts = rota.rota.schedules.iter().flat_map(|schedule| schedule.shifts(span.from, span.until));
        shifts.filter_map(|shift| (shift.until - shift.from).to_std().ok()).sum()
    }
}

/// What automating a task costs, by the name of its runbook.
fn costs(runbooks: &[Arc<Runbook>]) -> BTreeMap<String, Duration> {
    let cost = |runbook: &Arc<Runbook>| {
        let acts = runbook.steps.iter().any(|step| matches!(step.task, Task::Act(_)));
        (runbook.name.clone(), if acts { GUARDRAIL } else { ACT })
    };
    runbooks.iter().map(cost).collect()
}

/// Keeps a piece of work; what was measured again replaces what was known.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    name: &str,
    incident: Option<Id>,
    entry: &Entry,
) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO toil (key, from_at, incident, data) VALUES (?, ?, ?, ?)")
        .bind(name)
        .bind(time::micros(entry.from))
        .bind(incident.map(key))
        .bind(serde_json::to_string(entry)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the work in a run that is over.
pub(super) async fn put_run(
    connection: &mut SqliteConnection,
    run: &Run,
    incident: Option<Id>,
) -> Result<()> {
    for (n, entry) in of_run(run).iter().enumerate() {
        put(connection, &format!("{}/{n}", run.id()), incident, entry).await?;
    }
    Ok(())
}

/// Keeps the time on an incident that is over, if a person worked on it.
pub(super) async fn put_incident(room: &Room, id: Id) -> Result<()> {
    let incident = room.desk.get(id).await?;
    let mut writing = room.runbooks.0.store.begin().await?;
    let of_runs = "SELECT data FROM toil WHERE incident = ? AND key LIKE 'RUN-%'";
    let runs: Vec<String> = sqlx::query_scalar(of_runs).bind(key(id)).fetch_all(&mut *writing).await?;
    let runs: serde_json::Result<Vec<Entry>> = runs.iter().map(|data| serde_json::from_str(data)).collect();
    let work = of_incident(&incident, &runs?);
    if work.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM toil WHERE incident = ? AND key LIKE 'INC-%'")
        .bind(key(id))
        .execute(&mut *writing)
        .await?;
    for (n, entry) in work.iter().enumerate() {
        put(&mut writing, &format!("{id}/{n}"), Some(id), entry).await?;
    }
    writing.commit(&room.bus).await?;
    Ok(())
}

/// What took a person away from looking.
enum Cut<'c> {
    /// A step of a run.
    Run(&'c Entry),
    /// An act by hand, and what led to it.
    Act(DateTime<Utc>, &'c str, &'c str),
}

impl Cut<'_> {
    fn begin(&self) -> DateTime<Utc> {
        match self {
            Self::Run(entry) => entry.from,
            Self::Act(at, ..) => *at,
        }
    }
}

/// The time from the first acknowledgement by a person until it was resolved, without what is counted
/// elsewhere. Nobody knows how long somebody worked on one that nobody acknowledged: each act by hand is an occasion.
fn of_incident(incident: &Incident, runs: &[Entry]) -> Vec<Entry> {
    let times = &incident.times;
    let Some(until) = times.resolved.or(times.ended) else { return Vec::new() };
    let alert = incident.alerts.first().map(|member| member.alert.name.clone());
    let task = alert.clone().unwrap_or_else(|| incident.title.clone());
    let piece = |from, until, person: &str, task: &str, class| Entry {
        from,
        until,
        person: Some(person.to_owned()),
        task: task.to_owned(),
        alert: alert.clone(),
        class,
    };
    let acts = incident.timeline.iter().filter_map(|entry| match &entry.source {
        Source::Person(person) if entry.kind == EntryKind::Action => {
            Some(Cut::Act(entry.at, person, &entry.text))
        }
        _ => None,
    });
    let Some((from, who)) = times.acknowledged.zip(incident.acknowledged.as_ref()) else {
        let occasion = |act| match act {
            Cut::Act(at, person, text) => Some(piece(at, at, person, text, Class::Remediation)),
            Cut::Run(_) => None,
        };
        return acts.filter_map(occasion).collect();
    };
    let runs = runs.iter().filter(|run| run.person.is_some()).map(Cut::Run);
    let mut cuts: Vec<Cut<'_>> = runs.chain(acts).collect();
    cuts.sort_by_key(Cut::begin);
    let (mut at, mut work) = (from, Vec::new());
    for cut in cuts.into_iter().filter(|cut| cut.begin() < until) {
        match cut {
            Cut::Run(run) => {
                if run.from > at {
                    work.push(piece(at, run.from, &who.by, &task, Class::Reactive));
                }
                at = at.max(run.until);
            }
            Cut::Act(done, person, text) => {
                work.push(piece(at.min(done), done, person, text, Class::Remediation));
                at = at.max(done);
            }
        }
    }
    if at < until {
        work.push(piece(at, until, &who.by, &task, Class::Reactive));
    }
    work
}

#[cfg(test)]
mod tests {
    use incident::{Event, Severity, State, What};

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-11-29T07:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    /// Acknowledged after 1 minute, an act after 6, resolved after 20.
    fn incident() -> Incident {
        let ada = || Source::Person("ada".to_owned());
        let opened = What::Opened {
            id: Id(1),
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services: Vec::new(),
            previous: None,
        };
        let act = What::Noted {
            kind: EntryKind::Action,
            happened_at: at(6),
            text: "restarted order-api".to_owned(),
            evidence: Vec::new(),
            sealed: false,
        };
        let resolved = What::Moved { to: State::Resolved, why: String::new() };
        let events = [
            (0, Source::ControlRoom, opened),
            (1, ada(), What::Acknowledged),
            (6, ada(), act),
            (20, Source::ControlRoom, resolved),
        ];
        let events: Vec<Event> =
            events.into_iter().map(|(minute, by, what)| Event { at: at(minute), by, what }).collect();
        Incident::replay(&events).unwrap()
    }

    fn told(work: &[Entry]) -> Vec<(f64, Class, &str)> {
        work.iter().map(|entry| (entry.minutes(), entry.class, entry.task.as_str())).collect()
    }

    #[test]
    fn each_minute_on_an_incident_counts_once() {
        let step = Entry {
            from: at(8),
            until: at(11),
            person: Some("ada".to_owned()),
            task: "TargetDown".to_owned(),
            alert: None,
            class: Class::Remediation,
        };
        let alone = of_incident(&incident(), &[]);
        assert_eq!(
            told(&alone),
            [(5.0, Class::Remediation, "restarted order-api"), (14.0, Class::Reactive, "Orders fail")]
        );
        let with_run = of_incident(&incident(), std::slice::from_ref(&step));
        let sum: f64 = with_run.iter().map(Entry::minutes).sum();
        assert!((sum + step.minutes() - 19.0).abs() < 1e-9, "{with_run:?}");
        let automated = Entry { person: None, ..step };
        assert_eq!(of_incident(&incident(), &[automated]), alone, "it took nobody's time");
    }

    #[test]
    fn what_a_runbook_does_already_is_the_cheapest_to_automate() {
        let file = |name: &str| {
            let path = format!("{}/../../runbooks/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
            let read = runbook::read_runbook(&path, &std::fs::read_to_string(&path).unwrap());
            Arc::new(read.unwrap())
        };
        let costs = costs(&[file("TargetDown"), file("NoTraffic")]);
        let work = |task: &str, hour: i64| Entry {
            from: at(60 * hour),
            until: at(60 * hour + 10),
            person: Some("ada".to_owned()),
            task: task.to_owned(),
            alert: None,
            class: Class::Remediation,
        };
        let tasks = ["ask a friend", "NoTraffic", "TargetDown"];
        let tasks = tasks.iter().zip(0..);
        let entries: Vec<Entry> = tasks
            .flat_map(|(task, hour)| [work(task, hour), work(task, hour + 4), work(task, hour + 8)])
            .collect();
        let span = Span { from: at(0), until: at(7 * 24 * 60) };
        let report = report(&entries, span, Duration::ZERO, &costs);
        let ranked: Vec<(&str, f64)> =
            report.candidates.iter().map(|one| (one.name.as_str(), one.cost / 60.0)).collect();
        assert_eq!(ranked, [("TargetDown", 1.0), ("NoTraffic", 4.0), ("ask a friend", 8.0)]);
    }

    #[test]
    fn an_act_in_an_incident_that_nobody_took_over_is_an_occasion_without_minutes() {
        let mut unseen = incident();
        unseen.times.acknowledged = None;
        let work = of_incident(&unseen, &[]);
        assert_eq!(told(&work), [(0.0, Class::Remediation, "restarted order-api")]);
        unseen.timeline.clear();
        assert!(of_incident(&unseen, &[]).is_empty());
    }
}
