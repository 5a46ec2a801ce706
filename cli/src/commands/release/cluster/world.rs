//! What a release asks and changes in a cluster: the chart's values, every edge, and Prometheus.
//!
//! Requests are safe on the way: canary and baseline get some only once they are ready, and lose them before they go.

use std::time::Duration;

use anyhow::{Result, anyhow};
use chrono::Utc;
use observe::Prometheus;
use parking_lot::Mutex;
use release::{
    Block, Plan, Run,
    drive::{PERIOD, Stand, World},
    freeze::Budget,
    look::{self, Glance, Looks, Matchers, Side},
    measure::Reading,
    run::Change,
};
use serde_json::Value;
use switchboard::Cluster;
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, sleep},
};

use super::{
    edges::Edges,
    helm::{Helm, Values, Way},
};
use crate::{
    commands::slo,
    home::Home,
    installation::{Installation, Reached},
};

/// How long an answer of helm and kubectl about the service is good for.
const FRESH: Duration = Duration::from_secs(5);
/// A canary that has ended this often by itself is not going to stay up.
const CRASHES: u64 = 3;
/// How often the way back is tried: users must not keep a bad version because the cluster did not answer once.
const ATTEMPTS: usize = 3;

/// A lab in a cluster.
pub(super) struct There<'a> {
    place: &'a Installation,
    home: &'a Home,
    cluster: &'a Cluster,
    pub(super) helm: Helm,
    edges: Edges,
    prometheus: AsyncMutex<Option<Reached<Prometheus>>>,
    looks: Mutex<Looks>,
    seen: AsyncMutex<Option<Seen>>,
}

/// What helm and kubectl say about the service.
#[derive(Debug, Clone)]
struct Seen {
    at: Instant,
    values: Values,
    /// Why waiting for canary or baseline does not help.
    crashed: Option<String>,
}

impl World for There<'_> {
    type Error = anyhow::Error;

    async fn budgets(&self, run: &Run) -> Vec<Budget> {
        // What nobody knows freezes a release if it lasts.
        self.left(&run.plan().service).await.unwrap_or_default()
    }

    async fn overtaken(&self, run: &Run) -> Result<Option<String>> {
        let service = &run.plan().service;
        Ok(run.overtaken(&self.seen(service).await?.values.crew(service)))
    }

    async fn put(&self, run: &Run, key: &str, change: &Change, message: &str) -> Result<Option<String>> {
        let (plan, why) = (run.plan(), message.lines().next().unwrap_or(key));
        let service = &plan.service;
        let mut done = self.make(plan, change, why).await;
        for _ in 1..ATTEMPTS {
            if done.is_ok() || !matches!(change, Change::Revert { .. }) {
                break;
            }
            sleep(FRESH).await;
            done = self.make(plan, change, why).await;
        }
        *self.seen.lock().await = None;
        // Its causes, too: a driver keeps only the sentence.
        done.map(|()| Some(key.to_owned())).map_err(|error| anyhow!("{service}: {error:#}"))
    }

    async fn standing(&self, run: &Run) -> Result<Stand> {
        let (service, state) = (&run.plan().service, run.state());
        let Seen { values, crashed, .. } = self.seen(service).await?;
        let back = state == "rolling-back";
        if let Some(why) = crashed.filter(|_| !back) {
            return Ok(Stand::Failed(why));
        }
        let settles = back || state == "settle";
        if settles && !self.edges.show(service, values.weight_of(service)).await? {
            // It is for a kubelet to do: there is no hurry.
            sleep(PERIOD).await;
            return Ok(Stand::Waits);
        }
        Ok(Stand::Settled)
    }

    async fn look(&self, run: &Run) -> Result<Option<Block>> {
        let now = self.glance(&Matchers::of_pods(&run.plan().service, self.helm.namespace())).await?;
        Ok(self.looks.lock().see(now))
    }
}

impl<'a> There<'a> {
    pub(super) fn new(place: &'a Installation, home: &'a Home, cluster: &'a Cluster, helm: Helm) -> Self {
        let edges = Edges::of(cluster, place.token());
        let (prometheus, seen) = (AsyncMutex::default(), AsyncMutex::default());
        Self { place, home, cluster, helm, edges, prometheus, looks: Mutex::default(), seen }
    }

    /// What is left of the budgets of a service.
    ///
    /// # Errors
    /// When Prometheus does not answer.
    pub(super) async fn left(&self, service: &str) -> Result<Vec<Budget>> {
        let mut way = self.prometheus.lock().await;
        let reached = match way.take() {
            Some(reached) => reached,
            None => self.place.prometheus_of(self.cluster).await?,
        };
        let budgets = slo::budgets(self.home, &reached, service).await?;
        *way = Some(reached);
        Ok(budgets)
    }

    /// What is counted now. After a failure, the way to Prometheus is opened again.
    async fn glance(&self, matchers: &Matchers) -> Result<Glance> {
        let mut way = self.prometheus.lock().await;
        let reached = match way.take() {
            Some(reached) => reached,
            None => self.place.prometheus_of(self.cluster).await?,
        };
        let total = matchers.total();
        let all = async { anyhow::Ok(reached.value(&total).await?) };
        let (canary, baseline, all) = tokio::try_join!(
            reading(&reached, &matchers.canary),
            reading(&reached, &matchers.baseline),
            all,
        )?;
        *way = Some(reached);
        Ok(Glance { canary, baseline, all: all.unwrap_or_default() })
    }

    /// What helm and kubectl say about a service; an answer of a moment ago is good enough.
    async fn seen(&self, service: &str) -> Result<Seen> {
        let mut seen = self.seen.lock().await;
        if let Some(fresh) = seen.as_ref().filter(|seen| seen.at.elapsed() < FRESH) {
            return Ok(fresh.clone());
        }
        let values = self.helm.values(service).await?;
        let selector = format!("sre-lab/service={service}");
        let pods = self.cluster.tell(&["get", "pods", "--selector", &selector, "--output", "json"]).await?;
        let crashed = crashed(&serde_json::from_str(&pods)?);
        let now = Seen { at: Instant::now(), values, crashed };
        *seen = Some(now.clone());
        Ok(now)
    }

    /// Makes a step, or the rest of one that was begun.
    async fn make(&self, plan: &Plan, change: &Change, why: &str) -> Result<()> {
        let service = &plan.service;
        match change {
            Change::Canary { version, weight, .. } => self.weigh(service, version, *weight, why).await,
            Change::Promote { version, .. } => {
                if self.helm.values(service).await?.running() != version {
                    self.set_tag(service, version, Way::Forward, why).await?;
                }
                self.replaced(service).await?;
                self.withdraw(service, why).await?;
                self.dismiss(service, why).await
            }
            Change::Revert { .. } => {
                self.withdraw(service, why).await?;
                let values = self.helm.values(service).await?;
                if values.running() == plan.new {
                    // Back to the tag of all, if that is what it had.
                    let old = if values.all == plan.old { "" } else { plan.old.as_str() };
                    self.set_tag(service, old, Way::Back, why).await?;
                    self.replaced(service).await?;
                }
                self.dismiss(service, why).await
            }
        }
    }

    /// Gives the canary this percent of the requests. A new one has to be ready before.
    async fn weigh(&self, service: &str, tag: &str, weight: u32, why: &str) -> Result<()> {
        let now = self.helm.values(service).await?;
        let guests = guests(service, tag);
        // With a weight of 0, the upgrade that waits for the pods may still be at work, or be taken back.
        let there = now.service == service && now.tag == tag && now.weight > 0;
        if !there {
            self.helm.upgrade(&guests, Some(0), Way::Forward, why).await?;
        }
        if !there || now.weight != weight {
            self.helm.upgrade(&guests, Some(weight), Way::Forward, why).await?;
        }
        self.edges.hurry().await;
        Ok(())
    }

    /// Lets all that stay become a version; "" is that of all services.
    async fn set_tag(&self, service: &str, tag: &str, way: Way, why: &str) -> Result<()> {
        self.helm.upgrade(&format!("services.{service}.tag={tag}"), None, way, why).await
    }

    /// Waits until every pod of a service is of its newest version.
    async fn replaced(&self, service: &str) -> Result<()> {
        let deployment = format!("deployment/{service}");
        self.cluster.tell(&["rollout", "status", &deployment, "--timeout=110s"]).await?;
        Ok(())
    }

    /// Takes the requests of canary and baseline away, on every edge.
    async fn withdraw(&self, service: &str, why: &str) -> Result<()> {
        let now = self.helm.values(service).await?;
        if now.service != service {
            return Ok(());
        }
        if now.weight > 0 {
            self.helm.upgrade(&guests(service, &now.tag), Some(0), Way::Back, why).await?;
        }
        self.edges.take(service, 0).await
    }

    /// Stops canary and baseline, which have no requests any more.
    async fn dismiss(&self, service: &str, why: &str) -> Result<()> {
        if self.helm.values(service).await?.service != service {
            return Ok(());
        }
        self.helm.upgrade("release.service=,release.tag=", Some(0), Way::Back, why).await
    }
}

/// The values that name what is released.
fn guests(service: &str, tag: &str) -> String {
    format!("release.service={service},release.tag={tag}")
}

/// Why waiting for these pods does not help.
fn crashed(pods: &Value) -> Option<String> {
    pods["items"].as_array()?.iter().find_map(|pod| {
        let containers = pod["status"]["containerStatuses"].as_array()?.iter();
        let restarts: u64 = containers.filter_map(|container| container["restartCount"].as_u64()).sum();
        let name = pod["metadata"]["name"].as_str()?;
        let why = || format!("{name} crashed {restarts} times: kubectl logs {name} --previous");
        (restarts >= CRASHES).then(why)
    })
}

async fn reading(prometheus: &Prometheus, side: &Side) -> Result<Reading> {
    let samples = prometheus.query(&side.query()).await?;
    let series = samples.iter().filter_map(|sample| Some((&sample.metric, sample.value()?)));
    let place = &side.instances;
    look::reading(series, Utc::now()).map_err(|error| anyhow!("{place} in Prometheus: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_that_keeps_crashing_is_named() {
        let pod = |name: &str, restarts: u64| json!({ "metadata": { "name": name }, "status": { "containerStatuses": [{ "restartCount": restarts }] } });
        let young = json!({ "metadata": { "name": "order-api-canary-c" }, "status": { "phase": "Pending" } });
        let calm = json!({ "items": [pod("order-api-baseline-a", 0), young, pod("order-api-canary-b", 2)] });
        assert_eq!(crashed(&calm), None);
        let why = crashed(&json!({ "items": [young, pod("order-api-canary-b", 3)] })).unwrap();
        assert!(why.starts_with("order-api-canary-b crashed 3 times"), "{why}");
    }
}
