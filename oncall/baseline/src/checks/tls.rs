//! Whether something goes past TLS where it is used: the proxies beside the programs (values.tls), and ingresses.

use serde_json::Value;

use super::{
    Finding, Looked,
    pods::{Pod, all, list, named, text},
};
use crate::{Baseline, Facts};

/// The container that speaks TLS for a program, which it keeps running beside.
const PROXY: &str = "tls";
/// What a setting has that makes a program listen on every address.
const EVERYWHERE: &[&str] = &["0.0.0.0:", "[::]:", "listen_addresses=*"];

/// A program beside a proxy that others can reach without it, and an ingress that people use without TLS. A program that an ingress
/// leads to may listen for itself: controllers speak to it without TLS.
pub(super) fn past(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let manifests = facts.manifests.as_ref()?;
    let ingresses: Vec<&Value> = manifests.iter().filter(|object| object["kind"] == "Ingress").collect();
    let led_to = |pod: &Pod<'_>| {
        let name = text(&pod.labels["app.kubernetes.io/name"]);
        !name.is_empty() && ingresses.iter().any(|ingress| backends(ingress).any(|service| service == name))
    };
    let wrong = |pod: &Pod<'_>| {
        if !has_proxy(pod) || led_to(pod) {
            return None;
        }
        let setting = settings(pod).find(|setting| EVERYWHERE.iter().any(|&word| setting.contains(word)))?;
        Some(format!("listens beside its proxy: {setting}"))
    };
    let mut looked = Looked::at(all(manifests), wrong, Pod::name);
    for ingress in ingresses {
        looked.subjects += 1;
        if list(&ingress["spec"]["tls"]).next().is_none() {
            looked.findings.push(Finding { subject: named(ingress), found: "has no TLS".to_owned() });
        }
    }
    Some(looked)
}

fn has_proxy(pod: &Pod<'_>) -> bool {
    list(&pod.spec["initContainers"])
        .any(|container| text(&container["name"]) == PROXY && text(&container["restartPolicy"]) == "Always")
}

/// What the programs of a pod are told by arguments and by variables.
fn settings<'a>(pod: &Pod<'a>) -> impl Iterator<Item = &'a str> {
    list(&pod.spec["containers"]).flat_map(|container| {
        let words = ["command", "args"].into_iter().flat_map(move |key| list(&container[key])).map(text);
        words.chain(list(&container["env"]).map(|variable| text(&variable["value"])))
    })
}

/// The services that an ingress leads to.
fn backends(ingress: &Value) -> impl Iterator<Item = &str> {
    let paths = list(&ingress["spec"]["rules"]).flat_map(|rule| list(&rule["http"]["paths"]));
    let of_paths = paths.map(|path| &path["backend"]["service"]["name"]);
    of_paths.chain([&ingress["spec"]["defaultBackend"]["service"]["name"]]).map(text)
}
