//! The edges of a cluster. Each pod is asked by itself: the requests are split only once all of them split them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use chrono::Utc;
use observe::Peer;
use release::fleet::shares;
use serde_json::{Value, json};
use switchboard::{Cluster, Forward};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::parts::edge::EDGE;

/// Longest time until every edge has its new routes. A kubelet looks at its ConfigMaps every minute, unless it is told to.
pub(super) const SETTLE: Duration = Duration::from_secs(180);
/// Between two questions.
const EVERY: Duration = Duration::from_secs(1);
/// Between two times that the kubelets are told to look: one that looked before the change had reached it would wait a minute.
const AGAIN: Duration = Duration::from_secs(5);

/// All edges.
pub(super) struct Edges {
    cluster: Cluster,
    /// What their switches take.
    token: Option<String>,
    /// The open ways to them, by pod.
    ways: Mutex<BTreeMap<String, (Forward, Peer)>>,
}

impl Edges {
    pub(super) fn of(cluster: &Cluster, token: Option<&str>) -> Self {
        Self { cluster: cluster.clone(), token: token.map(str::to_owned), ways: Mutex::default() }
    }

    /// Waits until every edge gives the canary of a service this percent of its requests.
    ///
    /// # Errors
    /// When one of them does not within [`SETTLE`].
    pub(super) async fn take(&self, service: &str, weight: u32) -> Result<()> {
        let (mut look, end) = (Instant::now(), Instant::now() + SETTLE);
        loop {
            if Instant::now() >= look {
                self.hurry().await;
                look = Instant::now() + AGAIN;
            }
            let why = match self.show(service, weight).await {
                Ok(true) => return Ok(()),
                Ok(false) => "they split the requests as before".to_owned(),
                Err(error) => format!("{error:#}"),
            };
            if Instant::now() >= end {
                bail!("the edges do not take their routes within {} s: {why}", SETTLE.as_secs());
            }
            sleep(EVERY).await;
        }
    }

    /// Lets the kubelets look at the ConfigMap now: they do when a pod changes. Without the right to do that, it takes a minute.
    pub(super) async fn hurry(&self) {
        let selector = format!("app.kubernetes.io/name={EDGE},app.kubernetes.io/part-of=sre-lab");
        let mark = format!("sre-lab/routes={}", Utc::now().timestamp_millis());
        let _ = self.cluster.tell(&["annotate", "pods", "--selector", &selector, "--overwrite", &mark]).await;
    }

    /// Whether every edge gives the canary of a service this percent of its requests. Each reads its files first.
    ///
    /// # Errors
    /// When one of them cannot be reached, or refuses its files.
    pub(super) async fn show(&self, service: &str, weight: u32) -> Result<bool> {
        let pods = self.cluster.pods(Some(EDGE)).await?;
        let mut ways = self.ways.lock().await;
        ways.retain(|name, _| pods.iter().any(|pod| pod.name == *name));
        let mut all = true;
        for pod in &pods {
            let (way, peer) = match ways.remove(&pod.name) {
                Some(open) => open,
                None => {
                    let way = self.cluster.pod(pod).await?;
                    let peer = Peer::at(&way.url).token(self.token.clone());
                    (way, peer)
                }
            };
            // One that fails is closed, and opened again next time.
            let routes = peer.post("/reload", &json!({})).await?;
            all &= splits(&routes, service, weight);
            ways.insert(pod.name.clone(), (way, peer));
        }
        Ok(all)
    }
}

/// Whether every route to a service splits its requests like this, in what an edge says about its routes.
fn splits(routes: &Value, service: &str, weight: u32) -> bool {
    let [stay, baseline, canary] = shares(weight);
    let guest = |role: &str, weight: u32| (format!("{service}-{role}"), u64::from(weight));
    let expected = match weight {
        // What a route that names no weight has.
        0 => vec![(service.to_owned(), 1)],
        _ => {
            vec![(service.to_owned(), u64::from(stay)), guest("baseline", baseline), guest("canary", canary)]
        }
    };
    let target = |target: &Value| Some((target["upstream"].as_str()?.to_owned(), target["weight"].as_u64()?));
    let targets = |route: &Value| -> Vec<(String, u64)> {
        route["to"].as_array().into_iter().flatten().filter_map(target).collect()
    };
    let own = routes["routes"].as_array().into_iter().flatten().map(targets);
    let mut own = own.filter(|targets| targets.iter().any(|(name, _)| name == service)).peekable();
    own.peek().is_some() && own.all(|targets| targets == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(orders: &Value, users: &Value) -> Value {
        json!({ "problems": [], "routes": [{ "name": "orders", "to": orders }, { "name": "users", "to": users }] })
    }

    #[test]
    fn an_edge_splits_the_requests_once_every_route_of_the_service_does() {
        let (alone, users) = (
            json!([{ "upstream": "order-api", "weight": 1 }]),
            json!([{ "upstream": "user-service", "weight": 1 }]),
        );
        let split = json!([{ "upstream": "order-api", "weight": 50 }, { "upstream": "order-api-baseline", "weight": 25 },
            { "upstream": "order-api-canary", "weight": 25 }]);
        assert!(splits(&routes(&alone, &users), "order-api", 0));
        assert!(!splits(&routes(&alone, &users), "order-api", 25));
        assert!(splits(&routes(&split, &users), "order-api", 25));
        assert!(splits(&routes(&split, &users), "user-service", 0), "another service");
        for weight in [0, 5, 50] {
            assert!(!splits(&routes(&split, &users), "order-api", weight), "{weight}");
        }
        assert!(!splits(&routes(&split, &alone), "order-api", 25), "only one of two routes");
        assert!(!splits(&json!({ "routes": [] }), "order-api", 0), "no route leads there");
    }
}
