//! Clients of the systems that watch the shop, and of the admin ports of its services. They only read; what changes the
//! system is at hand here too, for `actions`.
//!
//! Every call has a deadline, because what a person needs during an outage must not wait for the part that is down.

mod admin;
pub mod links;
mod logs;

use std::{sync::Arc, time::Duration};

use observe::{Alertmanager, Jaeger, Peer, Prometheus};
use secrecy::ExposeSecret as _;
use switchboard::{Place, Tools};

use crate::{
    config::{Call, Instance, RoomConfig},
    error::{Error, Result},
};
pub use admin::{Admin, Readiness};
pub use logs::{Logs, Wanted};

/// Longest wait for one answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The clients. Cheap to clone.
#[derive(Clone)]
pub struct Eyes {
    /// Metrics, rules, pending and firing alerts.
    pub prometheus: Prometheus,
    /// Alerts that were sent, and silences.
    pub alertmanager: Alertmanager,
    /// Traces, through Jaeger's query API.
    pub traces: Jaeger,
    /// The switches of the services, for actions.
    pub place: Place,
    /// What has no fault switch, for actions: databases, Redis, Alertmanager, the load, the lab's processes.
    pub tools: Tools,
    /// Log lines.
    pub logs: Logs,
    /// The services and where their admin ports are.
    pub instances: Vec<Instance>,
    /// Who calls whom, in request-path order.
    pub calls: Vec<Call>,
    /// Clients of the admin ports, in the order of `instances`.
    pub admins: Arc<[Admin]>,
}

impl Eyes {
    /// Clients of what the configuration names.
    #[must_use]
    pub fn new(config: &RoomConfig) -> Self {
        let sources = &config.sources;
        let instances = sources.instances.clone();
        let place = instances.iter().map(|instance| switchboard::Instance {
            service: instance.service.clone(),
            name: instance.name.clone(),
            admin: instance.admin.clone(),
        });
        let token = sources.faults_token.as_ref().map(|token| token.expose_secret().to_owned());
        Self {
            prometheus: Prometheus::at(Peer::at(sources.prometheus_url.as_str())),
            alertmanager: Alertmanager::at(Peer::at(sources.alertmanager_url.as_str())),
            traces: Jaeger::at(Peer::at(sources.traces_url.as_str())),
            place: Place::Here(place.collect()),
            tools: config.hands.tools(&sources.alertmanager_url),
            logs: Logs::new(sources.loki_url.as_ref(), sources.logs_dir.as_deref()),
            admins: Admin::all(&instances, token.as_deref()),
            instances,
            calls: sources.calls.clone(),
        }
    }

    /// The services and what they use, each once, in request-path order.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        let called = self.calls.iter().flat_map(|call| [&call.caller, &call.callee]);
        let mut names: Vec<String> = Vec::new();
        for name in called.chain(self.instances.iter().map(|instance| &instance.service)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// The answer of a call, or why it did not come within [`PATIENCE`].
///
/// # Errors
/// [`Error::Elsewhere`], which names `what` was asked.
pub async fn within<T>(what: &str, call: impl Future<Output = observe::Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|error| Error::Elsewhere(error.to_string())),
        Err(_) => Err(Error::Elsewhere(format!("{what} did not answer within {} s", PATIENCE.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn services_come_in_the_order_of_a_request_each_once() {
        let config = RoomConfig::parse_from([
            "control-room",
            "--calls=load>order-api,order-api>user-service,user-service>redis",
            "--instances=order-api=http://127.0.0.1:1,order-worker=http://127.0.0.1:2",
        ]);
        let names = Eyes::new(&config).services();
        assert_eq!(names, ["load", "order-api", "user-service", "redis", "order-worker"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_ends_with_the_name_of_what_was_asked() {
        let error = within("Prometheus", std::future::pending::<observe::Result<()>>()).await.unwrap_err();
        assert_eq!(error.to_string(), "Prometheus did not answer within 2 s");
    }
}
