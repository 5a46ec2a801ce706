//! Checks of pods: what the Pod Security Standards call restricted, and images, limits, secrets.

use serde_json::Value;

use super::Looked;
use crate::{Baseline, Facts};

/// What an environment variable's name says if its value is a secret.
const SECRET: &[&str] = &["PASSWORD", "TOKEN", "SECRET", "PRIVATE_KEY", "ACCESS_KEY", "EVENT_KEYS"];

/// A pod, or what a workload makes its pods of.
#[derive(Clone, Copy)]
pub(crate) struct Pod<'a> {
    object: &'a Value,
    /// What its containers and volumes are.
    pub(crate) spec: &'a Value,
    /// What policies select it by.
    pub(crate) labels: &'a Value,
}

impl Pod<'_> {
    /// As `Deployment/order-api`.
    pub(super) fn name(&self) -> String {
        named(self.object)
    }
}

/// A container in its pod.
#[derive(Clone, Copy)]
struct Container<'a> {
    pod: Pod<'a>,
    own: &'a Value,
}

impl Container<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.pod.name(), text(&self.own["name"]))
    }

    /// A setting of its security context, or that of its pod.
    fn security(&self, key: &str) -> &Value {
        let own = &self.own["securityContext"][key];
        if own.is_null() { &self.pod.spec["securityContext"][key] } else { own }
    }
}

/// Kind and name of an object.
pub(super) fn named(object: &Value) -> String {
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// All pods of the manifests.
pub(crate) fn all(manifests: &[Value]) -> impl Iterator<Item = Pod<'_>> {
    manifests.iter().filter_map(|object| {
        let template = match text(&object["kind"]) {
            "Pod" => object,
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => &object["spec"]["template"],
            "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
            _ => return None,
        };
        Some(Pod { object, spec: &template["spec"], labels: &template["metadata"]["labels"] })
    })
}

fn containers(manifests: &[Value]) -> impl Iterator<Item = Container<'_>> {
    all(manifests).flat_map(|pod| {
        let kinds = ["containers", "initContainers", "ephemeralContainers"];
        let each = kinds.into_iter().flat_map(move |kind| list(&pod.spec[kind]));
        each.map(move |own| Container { pod, own })
    })
}

fn at_containers(facts: &Facts, wrong: impl Fn(&Container<'_>) -> Option<String>) -> Option<Looked> {
    let manifests = facts.manifests.as_ref()?;
    Some(Looked::at(containers(manifests), wrong, Container::name))
}

pub(super) fn host(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let manifests = facts.manifests.as_ref()?;
    let wrong = |pod: &Pod<'_>| {
        let flags = ["hostNetwork", "hostPID", "hostIPC"];
        let flag = flags.into_iter().find(|flag| pod.spec[*flag] == true);
        let path = list(&pod.spec["volumes"]).find(|volume| !volume["hostPath"].is_null());
        let mut ports = list(&pod.spec["containers"]).flat_map(|container| list(&container["ports"]));
        let port = ports.find(|port| !port["hostPort"].is_null());
        flag.map(|flag| format!("{flag} is true"))
            .or_else(|| path.map(|volume| format!("mounts {}", text(&volume["hostPath"]["path"]))))
            .or_else(|| port.map(|port| format!("has hostPort {}", port["hostPort"])))
    };
    Some(Looked::at(all(manifests), wrong, Pod::name))
}

pub(super) fn privileges(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_containers(facts, |container| {
        let own = &container.own["securityContext"];
        if own["privileged"] == true {
            return Some("is privileged".to_owned());
        }
        (own["allowPrivilegeEscalation"] != false).then(|| "can gain privileges".to_owned())
    })
}

pub(super) fn root(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_containers(facts, |container| {
        if container.security("runAsUser") == 0 {
            return Some("runs as user 0".to_owned());
        }
        (*container.security("runAsNonRoot") != true).then(|| "may run as root".to_owned())
    })
}

pub(super) fn confinement(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_containers(facts, |container| {
        let own = &container.own["securityContext"];
        let profile = text(&container.security("seccompProfile")["type"]);
        if !list(&own["capabilities"]["drop"]).any(|name| name == "ALL") {
            return Some("keeps capabilities".to_owned());
        }
        if let Some(added) = list(&own["capabilities"]["add"]).next() {
            return Some(format!("adds the capability {}", text(added)));
        }
        if !matches!(profile, "RuntimeDefault" | "Localhost") {
            return Some("has no seccomp profile".to_owned());
        }
        (own["readOnlyRootFilesystem"] != true).then(|| "can write to its root file system".to_owned())
    })
}

pub(super) fn images(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let manifests = facts.manifests.as_ref()?;
    let mut images: Vec<&str> =
        containers(manifests).map(|container| text(&container.own["image"])).collect();
    images.sort_unstable();
    images.dedup();
    let digest = |image: &str| {
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
        digest.is_some_and(|digest| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    Some(Looked::at(
        images,
        |image| (!digest(image)).then(|| "has no digest".to_owned()),
        |image| (*image).to_owned(),
    ))
}

pub(super) fn limits(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_containers(facts, |container| {
        let limits = &container.own["resources"]["limits"];
        limits["memory"].is_null().then(|| "has no limit on memory".to_owned())
    })
}

pub(super) fn literals(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_containers(facts, |container| {
        let literal = list(&container.own["env"]).find(|variable| {
            let secret = SECRET.iter().any(|word| text(&variable["name"]).contains(word));
            secret && !text(&variable["value"]).is_empty()
        })?;
        Some(format!("{} is in the manifest", text(&literal["name"])))
    })
}
