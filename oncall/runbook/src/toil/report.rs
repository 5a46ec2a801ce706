//! The report: minutes by class and task, what repeats, what is worth automating, and whether automation paid.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{
    CAP, Class, Entry,
    once::{Work, once},
};

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
    /// Alerts, the most expensive first.
    pub alerts: Vec<ForAlert>,
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

/// What people did because of an alert, whatever the task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForAlert {
    /// Its name.
    pub name: String,
    /// Minutes of people.
    pub minutes: f64,
    /// On how many occasions.
    pub times: usize,
    /// How often something went without people.
    pub automated: usize,
}

/// A task that is worth automating.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Minutes of people that it costs in a week; of one that automation does, those since then.
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
    /// Minutes of people a week before: in the span, or if it was automated before that, in a time as long before it was; none,
    /// if nothing is known of then.
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

/// Works by a name, each in the order of time.
type Named<'w, 'e> = BTreeMap<&'e str, Vec<&'w Work<'e>>>;

/// Reports on the entries that begin within a span; earlier ones tell what was before automation. `on_call` is the time that all
/// people together were on call for it, `costs` what automating a task costs, by name.
#[must_use]
pub fn report(
    entries: &[Entry],
    span: Span,
    on_call: Duration,
    costs: &BTreeMap<String, Duration>,
) -> Report {
    let mut known: Vec<&Entry> = entries.iter().filter(|entry| entry.from < span.until).collect();
    known.sort_by_key(|entry| entry.from);
    let all = once(&known);
    let works: Vec<&Work<'_>> = all.iter().filter(|work| span.from <= work.entry.from).collect();
    let classes = [Class::Reactive, Class::Remediation, Class::Project, Class::Overhead];
    let mut minutes = BTreeMap::from(classes.map(|it| (it, 0.0)));
    for work in works.iter().filter(|work| work.entry.person.is_some()) {
        *minutes.entry(work.entry.class).or_default() += work.minutes;
    }
    let toil: Vec<&Work<'_>> = works.iter().copied().filter(|work| work.entry.class.is_toil()).collect();
    let by_task = named(&toil, |entry| Some(&entry.task));
    let mut tasks: Vec<Task> = by_task.iter().map(|(name, works)| task(name, works)).collect();
    tasks.sort_by(|one, other| other.minutes.total_cmp(&one.minutes));
    let by_alert = named(&toil, |entry| entry.alert.as_ref());
    let mut alerts: Vec<ForAlert> = by_alert.iter().map(|(name, works)| alert(name, works)).collect();
    alerts.sort_by(|one, other| other.minutes.total_cmp(&one.minutes));
    let automated: Vec<Automated> =
        by_task.keys().filter_map(|name| automated(name, &history(&all, name), span)).collect();
    let candidates = candidates(&tasks, &automated, length(span.from, span.until), costs);
    let sum: f64 = minutes.iter().filter(|(class, _)| class.is_toil()).map(|(_, minutes)| minutes).sum();
    let on_call = on_call.as_secs_f64() / 60.0;
    let share = (on_call > 0.0).then(|| sum / on_call);
    let over_cap = share.is_some_and(|share| share > CAP);
    let weeks = weeks(&toil, span);
    Report { span, minutes, tasks, alerts, candidates, automated, share, over_cap, weeks }
}

fn named<'w, 'e>(works: &[&'w Work<'e>], name: fn(&'e Entry) -> Option<&'e String>) -> Named<'w, 'e> {
    let mut named: Named<'w, 'e> = BTreeMap::new();
    for &work in works {
        if let Some(name) = name(work.entry) {
            named.entry(name.as_str()).or_default().push(work);
        }
    }
    named
}

/// All that is known of a task.
fn history<'w, 'e>(all: &'w [Work<'e>], name: &str) -> Vec<&'w Work<'e>> {
    all.iter().filter(|work| work.entry.class.is_toil() && work.entry.task == name).collect()
}

/// Minutes of people.
fn manual<'w, 'e: 'w>(works: impl IntoIterator<Item = &'w Work<'e>>) -> f64 {
    let manual = works.into_iter().filter(|work| work.entry.person.is_some());
    manual.map(|work| work.minutes).sum()
}

/// How often it went without people.
fn alone(works: &[&Work<'_>]) -> usize {
    works.iter().filter(|work| work.entry.person.is_none()).count()
}

/// Minutes of people on each occasion: an hour without work ends one.
fn occasions(works: &[&Work<'_>]) -> Vec<f64> {
    let mut occasions: Vec<f64> = Vec::new();
    let mut last: Option<DateTime<Utc>> = None;
    for Work { entry, minutes } in works.iter().filter(|work| work.entry.person.is_some()) {
        let same = last.is_some_and(|last| entry.from - last < TimeDelta::hours(1));
        match occasions.last_mut() {
            Some(sum) if same => *sum += minutes,
            _ => occasions.push(*minutes),
        }
        last = last.max(Some(entry.until));
    }
    occasions
}

fn task(name: &str, works: &[&Work<'_>]) -> Task {
    let mut occasions = occasions(works);
    let (minutes, times) = (occasions.iter().sum(), occasions.len());
    occasions.sort_by(f64::total_cmp);
    let median = middle(&occasions);
    let mut alerts: Vec<String> = works.iter().filter_map(|work| work.entry.alert.clone()).collect();
    alerts.sort_unstable();
    alerts.dedup();
    Task { name: name.to_owned(), alerts, minutes, times, median, automated: alone(works) }
}

fn alert(name: &str, works: &[&Work<'_>]) -> ForAlert {
    let occasions = occasions(works);
    let (minutes, times) = (occasions.iter().sum(), occasions.len());
    ForAlert { name: name.to_owned(), minutes, times, automated: alone(works) }
}

/// The value in the middle of sorted ones; the lower one of two.
fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Tasks of people that repeat, by how soon automating them has paid. Of one that automation does, what is left counts.
fn candidates(
    tasks: &[Task],
    automated: &[Automated],
    minutes: f64,
    costs: &BTreeMap<String, Duration>,
) -> Vec<Candidate> {
    let weeks = (minutes / MINUTES_PER_WEEK).max(f64::MIN_POSITIVE);
    let left = |task: &Task| {
        let known = automated.iter().find(|one| one.name == task.name);
        known.map_or(task.minutes / weeks, |one| one.after.unwrap_or_default())
    };
    let repeated = tasks.iter().filter(|task| task.times >= REPEATS && left(task) > 0.0);
    let mut candidates: Vec<Candidate> = repeated
        .map(|task| {
            let minutes_a_week = left(task);
            let cost = costs.get(&task.name).copied().unwrap_or(COST).as_secs_f64() / 60.0;
            let pays_after_weeks = cost / minutes_a_week;
            Candidate { name: task.name.clone(), minutes_a_week, cost, pays_after_weeks }
        })
        .collect();
    candidates.sort_by(|one, other| one.pays_after_weeks.total_cmp(&other.pays_after_weeks));
    candidates
}

fn automated(name: &str, history: &[&Work<'_>], span: Span) -> Option<Automated> {
    let first = history.first()?.entry.from;
    let since = history.iter().find(|work| work.entry.person.is_none())?.entry.from;
    // What was before the span is looked at for as long as the span is, if so much is known.
    let begin = if since > span.from { span.from } else { first.max(since - (span.until - span.from)) };
    let a_week = |from: DateTime<Utc>, until: DateTime<Utc>| {
        let inside = history.iter().copied().filter(|work| (from..until).contains(&work.entry.from));
        let length = length(from, until);
        (length > 0.0).then(|| manual(inside) * MINUTES_PER_WEEK / length)
    };
    let (before, after) = (a_week(begin, since), a_week(since.max(span.from), span.until));
    Some(Automated { name: name.to_owned(), since, before, after })
}

fn weeks(toil: &[&Work<'_>], span: Span) -> Vec<Week> {
    let (mut weeks, mut from) = (Vec::new(), span.from);
    while from < span.until {
        let until = from + TimeDelta::weeks(1);
        let inside = toil.iter().copied().filter(|work| (from..until).contains(&work.entry.from));
        weeks.push(Week { from, minutes: manual(inside) });
        from = until;
    }
    weeks
}

/// Minutes from one instant to another.
fn length(from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
    (until - from).as_seconds_f64() / 60.0
}
