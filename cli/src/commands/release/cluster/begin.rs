//! What is wanted of a release in a cluster, and whether it may begin.

use anyhow::{Result, bail};
use chrono::{TimeDelta, Utc};
use release::{
    Plan, Policy,
    freeze::{Gate, Override, gate},
    invariants,
};

use super::{Releases, edges::SETTLE, world::There};
use crate::commands::release::{build::named, start::Start};

/// The edge gives canary and baseline the same number of requests. Fewer answers than this share are no chance.
const ANSWERS: f64 = 0.5;

impl Releases<'_> {
    /// What is meant to be done, if it may. `known` is the greatest number that the control room has: of another checkout, perhaps.
    pub(super) async fn plan(&self, start: &Start, there: &There<'_>, known: u64) -> Result<Plan> {
        let service = &start.service;
        let values = there.helm.values(service).await?;
        if !values.service.is_empty() {
            bail!(
                "the cluster has the canary {} of {} already, and no release here knows of it. Take its requests away: helm upgrade … \
                 --reuse-values --set release.weight=0. Once every edge has its new routes, remove it: the same with --set release.service=",
                values.tag,
                values.service
            );
        }
        Ok(Plan {
            id: format!("REL-{}", self.journal.newest().max(known) + 1),
            service: service.clone(),
            old: values.running().to_owned(),
            new: start.version.clone(),
            steps: start.steps.clone(),
            policy: policy(start)?,
            by: self.who.clone(),
            why: self.allowed(start, there).await?,
            over: start.over.clone().map(|why| (self.who.clone(), why)),
            written: start.written,
        })
    }

    /// The reason of the release, unless the error budgets of the service freeze it.
    async fn allowed(&self, start: &Start, there: &There<'_>) -> Result<String> {
        let why = start.why.trim();
        if why.is_empty() {
            bail!("--why: expected a sentence that says what the release is for");
        }
        let (budgets, now) = (there.left(&start.service).await?, Utc::now());
        let until = now + TimeDelta::seconds(1);
        let over = start.over.iter().map(|why| Override {
            by: self.who.clone(),
            why: why.clone(),
            from: now,
            until,
        });
        match gate(&budgets, &over.collect::<Vec<_>>(), now) {
            Gate::Open => Ok(why.to_owned()),
            Gate::Overridden { by, why: reason, frozen } => {
                Ok(format!("{why} (releases are frozen: {frozen}; {by} overrides this: {reason})"))
            }
            Gate::Frozen { why } => bail!(
                "releases of {} are frozen: {why}; repair it first, or say why this one may begin all the same: --override WHY",
                start.service
            ),
        }
    }
}

/// A version on Kubernetes is an image; what else differs is in the chart's values.
pub(super) fn only_a_tag(start: &Start) -> Result<()> {
    let built = start.binary.is_some() || start.checkout.is_some();
    if built || !start.flags.is_empty() || !start.env.is_empty() {
        bail!(
            "on Kubernetes, --version is the tag of an image: leave out --binary, --checkout, --flag and --env"
        );
    }
    if start.detach {
        bail!("on Kubernetes, this program drives the release until it is over: leave out --detach");
    }
    named(&start.service, &start.version)
}

/// How it is judged. An edge may take a minute to have its new routes.
fn policy(start: &Start) -> Result<Policy> {
    if !(0.001..=0.5).contains(&start.rise) {
        bail!("--rise: expected a share from 0.001 to 0.5, found {}", start.rise);
    }
    if start.hold > start.patience {
        bail!("--patience: expected at least the time of --hold");
    }
    let (rise, hold, patience, by_hand) = (start.rise, start.hold, start.patience, start.by_hand);
    let invariants = invariants::names(&start.service);
    let judged = Policy { rise, hold, patience, by_hand, ..Policy::default() };
    Ok(Policy { answers: ANSWERS, settle: SETTLE, invariants, ..judged })
}
