//! A release as people and programs see it: what the API answers, what pages and terminals show.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    Opinion, Run, Verdict,
    run::{Event, How, Next, What},
};

/// Who drives a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseDriver {
    /// The control room.
    ControlRoom,
    /// A terminal, in a cluster: the control room is only told.
    Terminal,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseView {
    /// Such as `REL-7`.
    pub id: String,
    /// The service.
    pub service: String,
    /// The version that ran before.
    pub old: String,
    /// The version that is released.
    pub new: String,
    /// How the new version differs from what ran before, in a line; values of flags and variables are left out.
    pub differs: String,
    /// Who drives it.
    pub driver: ReleaseDriver,
    /// Who started it.
    pub by: String,
    /// What for.
    pub why: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When something happened to it last.
    pub heard_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// `commit`, `settle`, `watch`, `held`, `rolling-back`, or how it ended: `released`, `rolled-back`, `aborted`, `stuck`.
    pub state: String,
    /// What is next, in a sentence; absent once it has ended.
    pub next: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Percent of the requests that the canary has now, if a step is watched.
    pub weight: Option<u32>,
    /// All steps in order, the last one is everybody.
    pub steps: Vec<ReleaseStepView>,
    /// What the judge says now, while a step is watched.
    pub opinion: Option<Opinion>,
    /// Requests that met the new version, among all of the service, since the release began.
    pub exposed: (u64, u64),
    /// Its commits that were made, the first one first; a revert is not among them.
    pub commits: Vec<String>,
}

/// A step of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseStepView {
    /// Percent of the requests.
    pub weight: u32,
    /// Where it is.
    pub state: ReleaseStepState,
    /// When it began to be watched, and when it was judged.
    pub from: Option<DateTime<Utc>>,
    /// When it was judged.
    pub until: Option<DateTime<Utc>>,
    /// What the judge said, with its numbers.
    pub opinion: Option<Opinion>,
    /// Who continued it although it was inconclusive, and why.
    pub by: Option<(String, String)>,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseStepState {
    /// It was judged, or everybody has the new version.
    Done,
    /// It is under way.
    Now,
    /// It was not reached.
    Todo,
}

impl ReleaseView {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }
}

/// A release of the control room at `now`; `differs` says in a line how its version differs from what ran before.
#[must_use]
pub fn release(run: &Run, differs: String, now: DateTime<Utc>) -> ReleaseView {
    let (plan, next, exposed) = (run.plan(), run.next(now), run.exposed());
    ReleaseView {
        id: plan.id.clone(),
        service: plan.service.clone(),
        old: plan.old.clone(),
        new: plan.new.clone(),
        differs,
        driver: ReleaseDriver::ControlRoom,
        by: plan.by.clone(),
        why: plan.why.clone(),
        started_at: run.started(),
        heard_at: run.newest(),
        ended_at: run.end().map(|end| end.at),
        state: run.state(),
        next: sentence(run, &next),
        reason: run.end().map(|end| end.why.clone()),
        weight: match next {
            Next::Look { weight, .. } => Some(weight),
            _ => None,
        },
        steps: steps(run),
        opinion: run.opinion(now),
        exposed: (exposed.bad, exposed.all),
        commits: run.commits().to_vec(),
    }
}

/// A release of an image that a terminal drives in a cluster, at `now`.
#[must_use]
pub fn in_cluster(run: &Run, now: DateTime<Utc>) -> ReleaseView {
    let differs = format!("image tag {}", run.plan().new);
    ReleaseView { driver: ReleaseDriver::Terminal, ..release(run, differs, now) }
}

fn steps(run: &Run) -> Vec<ReleaseStepView> {
    let (passed, released) = (run.passed(), run.end().is_some_and(|end| end.how == How::Released));
    // A step that failed is the last one that was judged: nothing is under way any more.
    let forward = run.end().is_none() && run.state() != "rolling-back";
    let step = |(place, weight): (usize, &u32)| {
        let judged = passed.get(place);
        let state = match judged {
            Some(_) => ReleaseStepState::Done,
            None if released => ReleaseStepState::Done,
            None if forward && place == passed.len() => ReleaseStepState::Now,
            None => ReleaseStepState::Todo,
        };
        ReleaseStepView {
            weight: *weight,
            state,
            from: judged.map(|passed| passed.from),
            until: judged.map(|passed| passed.until),
            opinion: judged.map(|passed| passed.opinion.clone()),
            by: judged.and_then(|passed| passed.by.clone()),
        }
    };
    run.plan().steps.iter().enumerate().map(step).collect()
}

/// What is next, for people.
fn sentence(run: &Run, next: &Next) -> Option<String> {
    let back = run.state() == "rolling-back";
    Some(match next {
        Next::Ended(_) => return None,
        Next::Commit { .. } if back => format!("{} gets everything back", run.plan().old),
        Next::Commit { .. } => "the next step begins".to_owned(),
        Next::Settle { .. } if back => "the canary loses its requests, and stops".to_owned(),
        Next::Settle { until } => {
            format!(
                "the lab does it; if it is not in force by {}, it is rolled back",
                until.format("%H:%M:%S UTC")
            )
        }
        Next::Look { weight, .. } => {
            format!("the judge compares canary and baseline, with {weight} % of the requests each")
        }
        Next::Hold { why, until } => {
            format!("a person decides, or it is rolled back at {}: {why}", until.format("%H:%M:%S UTC"))
        }
        Next::Note(_) => "the step is decided".to_owned(),
    })
}

/// What everybody should know of an event that was just applied: what users meet from now on, and how it ended. Nothing if it
/// changes nothing for them.
#[must_use]
pub fn news(run: &Run, event: &Event) -> Option<String> {
    let plan = run.plan();
    let (service, new, old) = (&plan.service, &plan.new, &plan.old);
    Some(match (&event.what, run.end()) {
        (_, Some(end)) => match end.how {
            How::Released => format!("{service} {new} is released: every request"),
            How::RolledBack => format!("{service} is back on {old}, {new} was rolled back: {}", end.why),
            How::Aborted => format!("{service} is back on {old}: {}", end.why),
            How::Stuck => format!("The release of {service} {new} is stuck, look at it: {}", end.why),
        },
        (What::Settled | What::Judged { .. } | What::Frozen { .. }, None) => match run.next(event.at) {
            Next::Look { weight, .. } => {
                format!("{weight} % of the requests to {service} go to the canary {new}")
            }
            Next::Hold { why, until } => {
                let until = until.format("%H:%M:%S UTC");
                format!("The release of {service} {new} waits for a person until {until}: {why}")
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// A verdict in a word.
#[must_use]
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}
