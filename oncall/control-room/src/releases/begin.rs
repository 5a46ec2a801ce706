//! What people do with releases: start one, continue an inconclusive one, stop one, take one back. Each is refused as a whole or done
//! as a whole.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use gitops::Repository;
use incident::Viewer;
use release::{
    Plan, Policy, Run,
    fleet::{Registered, Standing, Version, is_name},
    freeze::{Gate, Override, gate},
    invariants,
    run::{STEPS, What},
};

use super::{
    Live, Record, Releases, drive, git, name, record, rows,
    view::{self, ReleaseView},
    world,
};
use crate::{
    access::Visitor,
    error::{Error, Result},
    room::Room,
};

/// Longest time of a step.
const LONGEST: Duration = Duration::from_secs(86_400);
/// Longest time of a step if nobody says: at 50 requests per second, a canary of 5 % has enough after about 5 minutes.
const PATIENCE: Duration = Duration::from_secs(900);

/// The edge gives canary and baseline the same number of requests. Fewer answers than this share are no chance.
const ANSWERS: f64 = 0.5;

/// What somebody wants to release.
#[derive(Debug, Clone, Default)]
pub struct NewRelease {
    /// The service.
    pub service: String,
    /// Name of a registered build.
    pub version: String,
    /// What for.
    pub why: String,
    /// Percent of the requests, step by step; by default 5, 25, 50, 100.
    pub steps: Option<Vec<u32>>,
    /// The rise of the share of failures that a step has to be able to see, from 0 to 1.
    pub rise: Option<f64>,
    /// Least time of a step.
    pub hold: Option<Duration>,
    /// Longest time of a step.
    pub patience: Option<Duration>,
    /// Why it may begin although an error budget is spent.
    pub over: Option<String>,
    /// Whether no judge decides, but only a person.
    pub by_hand: bool,
}

impl Releases {
    /// Starts a release.
    ///
    /// # Errors
    /// When there is no lab, service or build, something is wrong with what is wanted, releases are frozen, or another release of the
    /// service is under way.
    pub async fn begin(&self, room: &Room, by: &Visitor, wanted: NewRelease) -> Result<ReleaseView> {
        let lab = world::lab(room)?;
        let standing = world::standing(&lab)?;
        let (old, new, written) = versions(&lab, &standing, &wanted)?;
        let policy = policy(&wanted)?;
        let why = self.allowed(room, by, &wanted)?;
        let repository = Repository::at(lab.join(git::REPOSITORY));
        let git = repository.exists().await;
        let used = if git { git::newest(&repository).await? } else { 0 };
        let record = Record { old, new, written, git, told: false };
        let mut writing = self.0.store.begin().await?;
        self.alone(&wanted.service)?;
        let number = rows::next(&mut writing).await?.max(used + 1);
        let plan = Plan {
            id: name(number),
            service: wanted.service.clone(),
            old: record.old.name.clone(),
            new: record.new.name.clone(),
            steps: wanted.steps.unwrap_or_else(|| STEPS.to_vec()),
            policy,
            by: by.name.clone(),
            why,
            over: wanted.over.map(|why| (by.name.clone(), why)),
            // The record has it.
            written: None,
        };
        let event = What::Started { plan: Box::new(plan) }.at(Utc::now());
        let run = Run::start(&event)?;
        rows::put(&mut writing, number, &wanted.service, &record, event.at).await?;
        rows::put_event(&mut writing, number, 0, &event).await?;
        record::audited(&mut writing, &run, &event, None).await?;
        let live = Live::new(number, record, run, 1);
        let (inner, own, begun) = (Arc::clone(&self.0), room.clone(), Arc::clone(&live));
        writing.after(move || {
            let count = {
                let mut open = inner.live.lock();
                open.insert(number, Arc::clone(&begun));
                open.len()
            };
            own.metrics.releases.open(count);
            // Here, because nobody may wait for the commit any more.
            if inner.started.load(Ordering::SeqCst) {
                drive::spawn(&own, begun);
            }
        });
        writing.commit(&self.0.bus).await?;
        Ok(view::release(&live.record, &live.run(), Utc::now()))
    }

    /// Continues an inconclusive release.
    ///
    /// # Errors
    /// When there is no such release, it waits for nobody, or there is no reason.
    pub async fn resume(&self, room: &Room, by: &Visitor, id: &str, why: &str) -> Result<ReleaseView> {
        self.say(room, id, "continue", What::Continued { by: by.name.clone(), why: why.to_owned() }).await
    }

    /// Stops a release; the old version gets every request back.
    ///
    /// # Errors
    /// When there is no such release, it is over or on its way back, or there is no reason.
    pub async fn abort(&self, room: &Room, by: &Visitor, id: &str, why: &str) -> Result<ReleaseView> {
        self.say(room, id, "abort", What::Aborted { by: by.name.clone(), why: why.to_owned() }).await
    }

    /// Takes a release back, as a page or a runbook asked for it. One that goes back already, or did, stays as it is, so this
    /// may be repeated after a crash.
    ///
    /// # Errors
    /// As [`Releases::abort`], and when it has reached everybody.
    pub(crate) async fn take_back(&self, room: &Room, by: &str, id: &str) -> Result<String> {
        let known = self.show(id).await?;
        let (id, service, old) = (&known.id, &known.service, &known.old);
        match known.state.as_str() {
            "rolling-back" | "rolled-back" | "aborted" => {
                Ok(format!("{id} was taken back before: {service} {old}"))
            }
            "released" => Err(Error::NotHere {
                what: format!("{id} has reached everybody: {service} runs {}", known.new),
                next: format!("release {old} again: `lab release start`"),
            }),
            _ => {
                let by = Visitor { name: by.to_owned(), role: Viewer::Trainee };
                self.abort(room, &by, id, "it is taken back").await?;
                Ok(format!("{id} goes back: {service} {old} gets every request"))
            }
        }
    }

    async fn say(&self, room: &Room, id: &str, verb: &str, what: What) -> Result<ReleaseView> {
        let live = self.live(id).await?;
        if live.record.told {
            let id = name(live.number);
            return Err(Error::NotHere {
                what: format!("{id} is a release in a cluster, which this control room may not change"),
                next: format!(
                    "run this in the checkout whose terminal drives it: lab --context NAME release {verb} {id} WHY"
                ),
            });
        }
        self.record(room, &live, what).await?;
        // The driver need not be told of what it did itself: it would look twice each second.
        live.wake.notify_one();
        Ok(view::release(&live.record, &live.run(), Utc::now()))
    }

    /// Refuses a second release of a service.
    fn alone(&self, service: &str) -> Result<()> {
        let live = self.0.live.lock();
        match live.values().find(|live| live.run().plan().service == service) {
            Some(other) => {
                let id = name(other.number);
                Err(Error::Conflict(format!(
                    "{id} of {service} is under way: wait, or `lab release abort {id} WHY`"
                )))
            }
            None => Ok(()),
        }
    }

    /// The reason of the release, unless the error budgets of the service freeze it.
    fn allowed(&self, room: &Room, by: &Visitor, wanted: &NewRelease) -> Result<String> {
        let why = wanted.why.trim();
        if why.is_empty() {
            return Err(Error::field("/why", "expected a sentence that says what the release is for"));
        }
        let budgets = world::budgets(room, &wanted.service);
        let now = Utc::now();
        let over = wanted.over.iter().map(|why| Override {
            by: by.name.clone(),
            why: why.clone(),
            from: now,
            until: now + TimeDelta::seconds(1),
        });
        match gate(&budgets, &over.collect::<Vec<_>>(), now) {
            Gate::Open => Ok(why.to_owned()),
            Gate::Overridden { by, why: reason, frozen } => {
                Ok(format!("{why} (releases are frozen: {frozen}; {by} overrides this: {reason})"))
            }
            Gate::Frozen { why } => Err(Error::NotHere {
                what: format!("releases of {} are frozen: {why}", wanted.service),
                next: "repair it first, or say why this release may begin all the same: `override`"
                    .to_owned(),
            }),
        }
    }
}

/// What runs, and what is released, with when that was written.
fn versions(
    lab: &Path,
    standing: &Standing,
    wanted: &NewRelease,
) -> Result<(Version, Version, chrono::DateTime<Utc>)> {
    let service = &wanted.service;
    let Some(running) = standing.versions.get(service) else {
        let known = standing.versions.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(Error::NoSuch { what: "service that can be released", name: service.clone(), known });
    };
    if !is_name(&wanted.version) {
        let expected = format!(
            "expected letters, digits, dots, dashes and underscores, such as v2, found `{}`",
            wanted.version
        );
        return Err(Error::field("/version", expected));
    }
    let fleet = world::fleet(lab)?;
    let old =
        fleet.services.get(service).map_or_else(|| Version::built(running), |crew| crew.version.clone());
    let found = world::build(lab, service, &wanted.version)?;
    let Registered { build, written } = found.ok_or_else(|| Error::NoSuch {
        what: "registered build",
        name: format!("{service} {}", wanted.version),
        known: "those that `lab release start` has registered, by --binary, --checkout, --flag or --env"
            .to_owned(),
    })?;
    build.check().map_err(|wrong| Error::field("/version", wrong))?;
    Ok((old, Version { name: wanted.version.clone(), build }, written))
}

/// How it is judged.
fn policy(wanted: &NewRelease) -> Result<Policy> {
    let usual = Policy::default();
    let rise = wanted.rise.unwrap_or(usual.rise);
    if !(0.001..=0.5).contains(&rise) {
        return Err(Error::field("/rise", format!("expected a share from 0.001 to 0.5, found {rise}")));
    }
    let hold = wanted.hold.unwrap_or(usual.hold);
    let patience = wanted.patience.unwrap_or(PATIENCE.max(hold));
    if hold > patience || patience > LONGEST {
        let expected = "expected a patience that is at least the hold and at most a day";
        return Err(Error::field("/patience", expected));
    }
    let invariants = invariants::names(&wanted.service);
    Ok(Policy { rise, hold, patience, answers: ANSWERS, invariants, by_hand: wanted.by_hand, ..usual })
}
