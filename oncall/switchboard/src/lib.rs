//! What changes the system. [`Action`] is the one port for that: for people, runbooks and agents.
//!
//! * [`Place`] -- the switches of every replica, its faults and protections: an instance on this machine, a pod
//!   in a cluster. A switch is set in all replicas of a service or in one.
//! * [`Firewall`] -- the rules of an edge and its kill switch.
//! * [`Tools`] -- what has no fault switch: the stores, Alertmanager, the load, the processes of a lab.

mod action;
mod answers;
mod balancing;
pub mod cluster;
mod error;
mod firewall;
mod tools;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use observe::Peer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use self::{
    action::{Action, Outcome, SessionState, rule_costs},
    answers::{FaultPoint, Parameter, Plan, Protection},
    cluster::{Cluster, Forward},
    error::{Error, Result},
    firewall::{Counts, Firewall, Rule, RuleMode},
    tools::{
        Lab, STOPPABLE, Tools, instance,
        scripts::{Attempt, Deed, SCRIPTS, Script, in_lines},
    },
};

/// Where the services are.
#[derive(Debug, Clone)]
pub enum Place {
    /// On this machine.
    Here(Vec<Instance>),
    /// On Kubernetes.
    Kubernetes(Cluster),
}

/// A replica on this machine.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The service.
    pub service: String,
    /// Its own name: the service's, for the first instance; `order-api-2` for the second.
    pub name: String,
    /// Base URL of its admin port.
    pub admin: String,
}

impl Instance {
    fn is(&self, wanted: &str) -> bool {
        tools::state::means(&self.service, &self.name, wanted)
    }

    fn replica(&self, token: Option<String>) -> Replica {
        Replica {
            service: self.service.clone(),
            pod: (self.name != self.service).then(|| self.name.clone()),
            peer: Peer::at(&self.admin).token(token).next_step("see `lab status`"),
            _way: None,
        }
    }
}

/// One replica of a service, with its switches.
#[derive(Debug)]
pub struct Replica {
    /// The service.
    pub service: String,
    /// The pod, in a cluster; on this machine the name of a further instance, such as `order-api-2`.
    pub pod: Option<String>,
    /// The client of its admin port.
    peer: Peer,
    _way: Option<Forward>,
}

impl Place {
    /// The replicas of a service, or of every service; on this machine `wanted` may also be one instance, such as
    /// `order-api-2`. `token` is for switches that require one.
    ///
    /// # Errors
    /// When there is no such service; lists the existing ones. Or when a pod cannot be reached: then none is
    /// returned, so that a fault is never active in only some pods by accident.
    pub async fn replicas(&self, wanted: Option<&str>, token: Option<&str>) -> Result<Vec<Replica>> {
        let token = token.map(str::to_owned);
        match self {
            Self::Here(instances) => {
                let is = |instance: &&Instance| wanted.is_none_or(|wanted| instance.is(wanted));
                let found = instances.iter().filter(is).map(|instance| instance.replica(token.clone()));
                let found: Vec<_> = found.collect();
                match wanted {
                    Some(wanted) if found.is_empty() => {
                        let names: Vec<_> = instances.iter().map(|instance| instance.name.as_str()).collect();
                        Err(Error::NoService(wanted.to_owned(), names.join(", ")))
                    }
                    _ => Ok(found),
                }
            }
            Self::Kubernetes(cluster) => {
                let mut reached = Vec::new();
                for pod in cluster.pods(wanted).await? {
                    let way = cluster.pod(&pod).await?;
                    let peer = Peer::at(&way.url).token(token.clone());
                    reached.push(Replica {
                        service: pod.service,
                        pod: Some(pod.name),
                        peer,
                        _way: Some(way),
                    });
                }
                Ok(reached)
            }
        }
    }
}

impl std::fmt::Display for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.pod.as_ref().unwrap_or(&self.service))
    }
}

impl Replica {
    /// Base URL of its admin port.
    #[must_use]
    pub fn admin(&self) -> &str {
        self.peer.base()
    }

    /// The faults that it can have, and the active plans.
    ///
    /// # Errors
    /// The service's message, or why it could not be reached; the same for the others below.
    pub async fn faults(&self) -> Result<Vec<FaultPoint>> {
        self.list("faults").await
    }

    /// Switches a fault on, or changes the active one; returns the service's response.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn set_fault(&self, name: &str, parameters: &[(String, String)]) -> Result<Value> {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(self.peer.call(Method::PUT, &switch("faults", name), &parameters).await?)
    }

    /// Ends one fault.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn end_fault(&self, name: &str) -> Result<()> {
        self.peer.call(Method::DELETE, &switch("faults", name), &[]).await?;
        Ok(())
    }

    /// Ends every fault that was switched on.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn end_faults(&self) -> Result<()> {
        self.peer.call(Method::DELETE, "/faults", &[]).await?;
        Ok(())
    }

    /// Its protections.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn protections(&self) -> Result<Vec<Protection>> {
        self.list("protections").await
    }

    /// Switches a protection on or off; off for `ttl` if it is given.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn set_protection(&self, name: &str, enabled: bool, ttl: Option<&str>) -> Result<Protection> {
        let enabled = enabled.to_string();
        let mut query = vec![("enabled", enabled.as_str())];
        query.extend(ttl.map(|ttl| ("ttl", ttl)));
        let answer = self.peer.call(Method::PUT, &switch("protections", name), &query).await?;
        serde_json::from_value(answer).map_err(|error| Error::Odd(self.to_string(), error))
    }

    /// Its version.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn version(&self) -> Result<String> {
        let answer = self.peer.get("/version", &[]).await?;
        Ok(answer["version"].as_str().unwrap_or_default().to_owned())
    }

    /// How this edge splits the requests of its routes: the weight of each upstream, by `route to upstream`.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn weights(&self) -> Result<BTreeMap<String, u64>> {
        Ok(weights(&self.peer.get("/routes", &[]).await?))
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, what: &str) -> Result<Vec<T>> {
        let mut answer = self.peer.get(&format!("/{what}"), &[]).await?;
        serde_json::from_value(answer[what].take()).map_err(|error| Error::Odd(self.to_string(), error))
    }
}

/// The weights in what an edge says about its routes.
fn weights(answer: &Value) -> BTreeMap<String, u64> {
    let mut weights = BTreeMap::new();
    for route in answer["routes"].as_array().into_iter().flatten() {
        for to in route["to"].as_array().into_iter().flatten() {
            let (Some(name), Some(upstream)) = (route["name"].as_str(), to["upstream"].as_str()) else {
                continue;
            };
            weights.insert(format!("{name} to {upstream}"), to["weight"].as_u64().unwrap_or_default());
        }
    }
    weights
}

/// In names, everything except letters, digits and `-`: a user may have typed anything, and it must stay one path
/// segment.
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// The path of one switch.
fn switch(kind: &str, name: &str) -> String {
    format!("/{kind}/{}", utf8_percent_encode(name, NOT_IN_NAMES))
}

#[cfg(test)]
mod tests {
    use super::Instance;

    #[test]
    fn a_service_means_all_of_its_instances_and_a_name_only_one() {
        let [one, two] = ["order-api", "order-api-2"].map(|name| Instance {
            service: "order-api".to_owned(),
            name: name.to_owned(),
            admin: "http://127.0.0.1:1".to_owned(),
        });
        for (wanted, first, second) in [
            ("order-api", true, true),
            ("order-api-1", true, false),
            ("order-api-2", false, true),
            ("order-api-3", false, false),
            ("order", false, false),
        ] {
            assert_eq!((one.is(wanted), two.is(wanted)), (first, second), "{wanted}");
        }
        assert_eq!([&one, &two].map(|it| it.replica(None).to_string()), ["order-api", "order-api-2"]);
    }

    #[test]
    fn each_upstream_of_each_route_has_its_weight() {
        let to = |upstream: &str, weight: u64| serde_json::json!({ "upstream": upstream, "weight": weight });
        let routes = serde_json::json!({ "routes": [
            { "name": "orders", "to": [to("order-api", 95), to("order-api-canary", 5)] },
            { "name": "users", "to": [to("user-service", 1)] },
        ]});
        let weights: Vec<(String, u64)> = super::weights(&routes).into_iter().collect();
        let expected =
            [("orders to order-api", 95), ("orders to order-api-canary", 5), ("users to user-service", 1)];
        assert_eq!(weights, expected.map(|(name, weight)| (name.to_owned(), weight)));
    }

    #[test]
    fn a_name_is_one_segment_of_the_path_whatever_it_is() {
        assert_eq!(super::switch("faults", "db-lock"), "/faults/db-lock");
        assert_eq!(super::switch("faults", "../x\r\nFORGED"), "/faults/%2E%2E%2Fx%0D%0AFORGED");
    }
}
