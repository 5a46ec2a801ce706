//! The report: minutes by class and task, what repeats, what is worth automating, and whether automation paid.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{CAP, Class, Entry};

/// What it costs to automate a task if nobody has estimated it.
const COST: Duration = Duration::from_secs(8 * 3600);
/// A task that happened once is no pattern.
const REPEATS: usize = 2;
const MINUTES_PER_WEEK: f64 = 7.0 * 24.0 * 60.0;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end.
    pub until: DateTime<Utc>,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was looked at.
    pub span: Span,
    /// Minutes of people, by class.
    pub minutes: BTreeMap<Class, f64>,
    /// Tasks, the most expensive first.
    pub tasks: Vec<Task>,
    /// What is worth automating, the one that pays first.
    pub candidates: Vec<Candidate>,
    /// Tasks that were automated, and what changed.
    pub automated: Vec<Automated>,
    /// Share of the time on call that was toil; none, if nobody was on call.
    pub share: Option<f64>,
    /// Whether it is more than [`CAP`].
    pub over_cap: bool,
    /// Weeks, the oldest first. The last one may be shorter.
    pub weeks: Vec<Week>,
}

/// A task that people did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The alerts that it was for.
    pub alerts: Vec<String>,
    /// Minutes of people.
    pub minutes: f64,
    /// On how many occasions: runs of steps with less than an hour in between.
    pub times: usize,
    /// Half of the occasions took at most this, in minutes.
    pub median: f64,
    /// How often it went without people.
    pub automated: usize,
}

/// A task that is worth automating.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Minutes of people that it costs in a week.
    pub minutes_a_week: f64,
    /// Minutes that automating it is assumed to cost, once.
    pub cost: f64,
    /// After how many weeks it has paid.
    pub pays_after_weeks: f64,
}

/// A task before and after it was automated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Automated {
    /// Its name.
    pub name: String,
    /// When it first went without people.
    pub since: DateTime<Utc>,
    /// Minutes of people a week before; none, if the span begins later.
    pub before: Option<f64>,
    /// Minutes of people a week since; none, if the span ends then.
    pub after: Option<f64>,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Week {
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Minutes of toil.
    pub minutes: f64,
}

/// Reports on the entries that begin within a span. `on_call` is the time that all people together were on call for it,
/// `costs` what automating a task costs, by name.
#[must_use]
pub fn report(
    entries: &[Entry],
    span: Span,
    on_call: Duration,
    costs: &BTreeMap<String, Duration>,
) -> Report {
    let within = |entry: &&Entry| span.from <= entry.from && entry.from < span.until;
    let mut entries: Vec<&Entry> = entries.iter().filter(within).collect();
    entries.sort_by_key(|entry| entry.from);
    let classes = [Class::Reactive, Class::Remediation, Class::Project, Class::Overhead];
    let mut minutes = BTreeMap::from(classes.map(|it| (it, 0.0)));
    let mut by_task: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        if entry.person.is_some() {
            *minutes.entry(entry.class).or_default() += entry.minutes();
        }
        if entry.class.is_toil() {
            by_task.entry(entry.task.as_str()).or_default().push(entry);
        }
    }
    let mut tasks: Vec<Task> = by_task.iter().map(|(name, entries)| task(name, entries)).collect();
    tasks.sort_by(|one, other| other.minutes.total_cmp(&one.minutes));
    let automated = by_task.iter().filter_map(|(name, entries)| automated(name, entries, span)).collect();
    let candidates = candidates(&tasks, length(span.from, span.until), costs);
    let toil: f64 = minutes.iter().filter(|(class, _)| class.is_toil()).map(|(_, minutes)| minutes).sum();
    let on_call = on_call.as_secs_f64() / 60.0;
    let share = (on_call > 0.0).then(|| toil / on_call);
    let over_cap = share.is_some_and(|share| share > CAP);
    Report { span, minutes, tasks, candidates, automated, share, over_cap, weeks: weeks(&entries, span) }
}

/// Minutes of people.
fn manual<'e>(entries: impl IntoIterator<Item = &'e &'e Entry>) -> f64 {
    let manual = entries.into_iter().filter(|entry| entry.person.is_some());
    manual.map(|entry| entry.minutes()).sum()
}

fn task(name: &str, entries: &[&Entry]) -> Task {
    let mut occasions: Vec<f64> = Vec::new();
    let mut last: Option<DateTime<Utc>> = None;
    for entry in entries.iter().filter(|entry| entry.person.is_some()) {
        let same = last.is_some_and(|last| entry.from - last < TimeDelta::hours(1));
        match occasions.last_mut() {
            Some(minutes) if same => *minutes += entry.minutes(),
            _ => occasions.push(entry.minutes()),
        }
        last = last.max(Some(entry.until));
    }
    let minutes = occasions.iter().sum();
    let times = occasions.len();
    occasions.sort_by(f64::total_cmp);
    let median = middle(&occasions);
    let mut alerts: Vec<String> = entries.iter().filter_map(|entry| entry.alert.clone()).collect();
    alerts.sort_unstable();
    alerts.dedup();
    let automated = entries.iter().filter(|entry| entry.person.is_none()).count();
    Task { name: name.to_owned(), alerts, minutes, times, median, automated }
}

/// The value in the middle of sorted ones; the lower one of two.
fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Tasks of people that repeat, by how soon automating them has paid.
fn candidates(tasks: &[Task], minutes: f64, costs: &BTreeMap<String, Duration>) -> Vec<Candidate> {
    let weeks = (minutes / MINUTES_PER_WEEK).max(f64::MIN_POSITIVE);
    let repeated = tasks.iter().filter(|task| task.times >= REPEATS && task.minutes > 0.0);
    let mut candidates: Vec<Candidate> = repeated
        .map(|task| {
            let minutes_a_week = task.minutes / weeks;
            let cost = costs.get(&task.name).copied().unwrap_or(COST).as_secs_f64() / 60.0;
            let pays_after_weeks = cost / minutes_a_week;
            Candidate { name: task.name.clone(), minutes_a_week, cost, pays_after_weeks }
        })
        .collect();
    candidates.sort_by(|one, other| one.pays_after_weeks.total_cmp(&other.pays_after_weeks));
    candidates
}

fn automated(name: &str, entries: &[&Entry], span: Span) -> Option<Automated> {
    let since = entries.iter().find(|entry| entry.person.is_none())?.from;
    let a_week = |minutes: f64, length: f64| (length > 0.0).then(|| minutes * MINUTES_PER_WEEK / length);
    let (earlier, later): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.from < since);
    Some(Automated {
        name: name.to_owned(),
        since,
        before: a_week(manual(&earlier), length(span.from, since)),
        after: a_week(manual(&later), length(since, span.until)),
    })
}

fn weeks(entries: &[&Entry], span: Span) -> Vec<Week> {
    let (mut weeks, mut from) = (Vec::new(), span.from);
    while from < span.until {
        let until = from + TimeDelta::weeks(1);
        let inside = entries.iter().filter(|entry| from <= entry.from && entry.from < until);
        let toil: Vec<&Entry> = inside.copied().filter(|entry| entry.class.is_toil()).collect();
        weeks.push(Week { from, minutes: manual(&toil) });
        from = until;
    }
    weeks
}

/// Minutes from one instant to another.
fn length(from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
    (until - from).as_seconds_f64() / 60.0
}
