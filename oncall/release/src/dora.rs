//! The four figures of delivery (DORA): how often, how fast, how often wrongly, and how quickly that is repaired.
//!
//! A change counts from when users first met it: a version that never started failed nobody. A canary that was rolled back
//! counts as a failed change, because one request in twenty met it; that it was only one in twenty is what
//! [`Delivery::exposed`] says.

use chrono::{DateTime, TimeDelta, Utc};
use incident::statistics::Summary;
use serde::{Deserialize, Serialize};

use crate::{Run, run::How};

/// The quantile of the normal distribution for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A release that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub release: String,
    /// The service.
    pub service: String,
    /// When the change was written: the commit that the version was built from.
    pub written: DateTime<Utc>,
    /// When users first met it; none if they never did.
    pub met: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended: DateTime<Utc>,
    /// How.
    pub how: How,
    /// The share of the requests that its canary had, from 0 to 1.
    pub exposed: f64,
}

impl Delivery {
    /// Of a release; none while it lasts. `written` is when its change was written.
    #[must_use]
    pub fn of(run: &Run, written: DateTime<Utc>) -> Option<Self> {
        let end = run.end()?;
        Some(Self {
            release: run.plan().id.clone(),
            service: run.plan().service.clone(),
            written,
            met: run.met(),
            ended: end.at,
            how: end.how,
            exposed: run.exposed().share().unwrap_or(0.0),
        })
    }
}

/// An incident that a release caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caused {
    /// The release.
    pub release: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When users were no longer affected; none while they are.
    pub restored: Option<DateTime<Utc>>,
}

/// A share of few things, with the interval that says how little is known: Wilson's, 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// How many.
    pub some: usize,
    /// Of how many; at least 1.
    pub all: usize,
    /// The share, from 0 to 1.
    pub share: f64,
    /// Low and high end of the interval.
    pub interval: (f64, f64),
}

impl Rate {
    /// Of `some` among `all`; none of nothing.
    #[must_use]
    pub fn of(some: usize, all: usize) -> Option<Self> {
        if all == 0 {
            return None;
        }
        let some = some.min(all);
        let (n, share) = (all as f64, some as f64 / all as f64);
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let interval = ((middle - half).clamp(0.0, share), (middle + half).clamp(share, 1.0));
        Some(Self { some, all, share, interval })
    }
}

/// The four figures of a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Releases that reached everyone.
    pub deployments: usize,
    /// As many per day; none of a time without length.
    pub per_day: Option<f64>,
    /// From the written change until everyone had it, in seconds.
    pub lead_time: Option<Summary>,
    /// Changes that were rolled back, got stuck or caused an incident, among all that users met. One that a person stopped
    /// is neither.
    pub failures: Option<Rate>,
    /// From when users met a failed change, or from the incident's beginning, until it was repaired, in seconds.
    pub restore: Option<Summary>,
    /// Incidents that last, and releases that are stuck: their time is not in `restore` yet.
    pub lasting: usize,
}

/// The figures of the releases that ended from `from` until `until`. The same `seed` gives the same intervals.
#[must_use]
pub fn figures(
    deliveries: &[Delivery],
    caused: &[Caused],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    seed: u64,
) -> Figures {
    let within: Vec<&Delivery> = deliveries.iter().filter(|one| (from..until).contains(&one.ended)).collect();
    let released = || within.iter().filter(|one| one.how == How::Released);
    let by =
        |one: &Delivery| caused.iter().filter(|incident| incident.release == one.release).collect::<Vec<_>>();
    let fails = |one: &Delivery| matches!(one.how, How::RolledBack | How::Stuck) || !by(one).is_empty();
    let met = |one: &&&Delivery| one.met.is_some() && (one.how != How::Aborted || fails(one));
    let changes = within.iter().filter(met).count();
    let failed: Vec<&Delivery> = within.iter().filter(met).filter(|one| fails(one)).copied().collect();
    let spans = failed.iter().flat_map(|one| {
        let release = match one.how {
            How::RolledBack => Some((one.met, Some(one.ended))),
            How::Stuck => Some((one.met, None)),
            How::Released | How::Aborted => None,
        };
        release
            .into_iter()
            .chain(by(one).into_iter().map(|incident| (Some(incident.began), incident.restored)))
    });
    let (mut times, mut lasting) = (Vec::new(), 0);
    for (began, restored) in spans {
        match began.zip(restored) {
            Some((began, restored)) => times.push(seconds(restored - began)),
            None => lasting += 1,
        }
    }
    let days = seconds(until - from) / 86_400.0;
    Figures {
        deployments: released().count(),
        per_day: (days > 0.0).then(|| released().count() as f64 / days),
        lead_time: Summary::of(released().map(|one| seconds(one.ended - one.written)), seed),
        failures: Rate::of(failed.len(), changes),
        restore: Summary::of(times, seed),
        lasting,
    }
}

fn seconds(time: TimeDelta) -> f64 {
    time.num_milliseconds().max(0) as f64 / 1000.0
}
