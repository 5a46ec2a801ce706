//! What kubectl says of pods.

use serde::Deserialize;

use super::{DRAINED, NAMED, Pod, SERVES};
use crate::{Error, Result};

/// The parts of `kubectl get pods --output json` that are needed here.
#[derive(Deserialize)]
struct PodList {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    name: Option<String>,
    container_port: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    phase: String,
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
struct ContainerStatus {
    name: String,
    ready: bool,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
struct State {
    running: Option<Running>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    started_at: Option<String>,
}

/// Running pods that have a fault switch, which their environment tells. Terminating pods are left out.
pub(super) fn read(json: &[u8]) -> Result<Vec<Pod>> {
    let list: PodList =
        serde_json::from_slice(json).map_err(|error| Error::Kubectl(format!("its list of pods: {error}")))?;
    let pod = |item: Item| {
        if item.status.phase != "Running" || item.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let service = item.metadata.labels.get(NAMED)?.clone();
        let serves = item.metadata.labels.get(SERVES).and_then(|serves| serves.strip_suffix(DRAINED));
        let drained = serves == Some(service.as_str());
        let switch =
            |container: &&Container| container.env.iter().any(|variable| variable.name == "FAULTS_ENABLED");
        let container = item.spec.containers.iter().find(switch)?;
        let admin = container.ports.iter().find(|port| port.name.as_deref() == Some("admin"))?.container_port;
        let status = item.status.container_statuses.iter().find(|status| status.name == container.name);
        let running = status.and_then(|status| status.state.running.as_ref());
        let started = running.and_then(|running| running.started_at.clone());
        let ready = match item.status.conditions.iter().find(|condition| condition.kind == "Ready") {
            Some(condition) => condition.status == "True",
            None => status.is_none_or(|status| status.ready),
        };
        Some(Pod { service, name: item.metadata.name, started, ready, drained, admin })
    };
    Ok(list.items.into_iter().filter_map(pod).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_known_by_the_start_of_the_container_that_has_the_switch() {
        let pod = |name: &str, statuses: &str| {
            format!(
                r#"{{"metadata":{{"name":"{name}","labels":{{"app.kubernetes.io/name":"edge"}}}},
                "spec":{{"containers":[{{"name":"tls"}},{{"name":"edge","env":[{{"name":"FAULTS_ENABLED"}}],
                "ports":[{{"name":"admin","containerPort":9100}}]}}]}},"status":{{"phase":"Running"{statuses}}}}}"#
            )
        };
        let statuses = r#","containerStatuses":[
            {"name":"tls","ready":true,"state":{"running":{"startedAt":"2026-03-02T09:00:00Z"}}},
            {"name":"edge","ready":false,"state":{"running":{"startedAt":"2026-03-02T09:05:00Z"}}}]"#;
        let list = format!(r#"{{"items":[{},{}]}}"#, pod("edge-a", statuses), pod("edge-b", ""));
        let pods = read(list.as_bytes()).unwrap();
        let found: Vec<_> =
            pods.iter().map(|pod| (pod.name.as_str(), pod.started.as_deref(), pod.ready)).collect();
        assert_eq!(found, [("edge-a", Some("2026-03-02T09:05:00Z"), false), ("edge-b", None, true)]);
    }
}
