//! The network policies of the rendered chart, simulated: what a pod is configured to call, it reaches; what it has no
//! business with, it does not.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

use std::{collections::BTreeSet, fs, path::Path};

use baseline::{facts::manifests, network::Network};
use serde_json::{Value, json};

fn text_of(example: &str) -> String {
    let path = format!("../../deploy/helm/examples/{example}.yaml");
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn rendered(example: &str) -> Vec<Value> {
    manifests(&text_of(example)).unwrap()
}

/// The calls that pods are configured for: each `host:port` in their environment that names a pod.
fn configured(objects: &[Value]) -> BTreeSet<(String, String, u16)> {
    let names: BTreeSet<String> = Network::of(objects).pods().into_iter().map(str::to_owned).collect();
    let mut calls = BTreeSet::new();
    for template in objects.iter().map(|object| &object["spec"]["template"]) {
        let from = template["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default();
        for container in template["spec"]["containers"].as_array().into_iter().flatten() {
            for variable in container["env"].as_array().into_iter().flatten() {
                let value = variable["value"].as_str().unwrap_or_default();
                for (host, port) in addresses(value) {
                    // `redpanda-0.redpanda` is a pod of redpanda.
                    let to = host.rsplit('.').next().unwrap_or_default();
                    if names.contains(to) {
                        calls.insert((from.to_owned(), to.to_owned(), port));
                    }
                }
            }
        }
    }
    calls
}

/// Each `host:port` in a text.
fn addresses(text: &str) -> Vec<(&str, u16)> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-.:".contains(c)));
    words
        .filter_map(|word| word.rsplit_once(':'))
        .filter_map(|(host, port)| Some((host, port.parse().ok()?)))
        .collect()
}

/// The calls that the proxies of `values-tls.yaml` carry: `proxy_pass part.namespace.svc:port`, under the key `part.conf`.
fn carried(text: &str) -> BTreeSet<(String, String, u16)> {
    let (mut calls, mut from) = (BTreeSet::new(), "");
    for line in text.lines() {
        from = line.strip_prefix("  ").and_then(|key| key.strip_suffix(".conf: |")).unwrap_or(from);
        let target = line.trim_start().strip_prefix("proxy_pass ").unwrap_or_default();
        for (host, port) in addresses(target) {
            // The Service `redpanda-kafka` has the pods of redpanda.
            if let Some(to) = host.strip_suffix(".sre-lab.svc") {
                calls.insert((from.to_owned(), to.trim_end_matches("-kafka").to_owned(), port));
            }
        }
    }
    calls
}

/// Connections that nothing in the lab needs, and that an intruder would try.
const DENIED: &[(&str, &str, u16)] = &[
    ("load", "postgres", 5432),
    ("edge", "postgres", 5432),
    ("edge", "redis", 6379),
    ("order-worker", "user-service", 8002),
    ("order-worker", "redis", 6379),
    ("order-api", "redis", 6379),
    ("user-service", "redpanda", 9092),
    ("user-service", "order-api", 8001),
    ("user-service", "order-api", 9101),
    ("postgres", "order-api", 8001),
    ("redis", "postgres", 5432),
    ("grafana", "postgres", 5432),
    ("load", "control-room", 8080),
    ("order-api", "prometheus", 9090),
    ("order-api", "order-worker", 9103),
    ("prometheus", "alertmanager", 9094),
    ("load", "alertmanager", 9093),
];

#[test]
fn what_pods_are_configured_to_call_they_reach_and_nothing_else() {
    for example in ["default", "ha", "laptop"] {
        let objects = rendered(example);
        let (network, calls) = (Network::of(&objects), configured(&objects));
        assert!(calls.len() >= 10, "{example}: {calls:?}");
        for (from, to, port) in &calls {
            assert_eq!(network.allows(from, to, *port), Ok(()), "{example}");
        }
        for (from, to, port) in DENIED {
            let there = [from, to].iter().all(|name| network.pods().contains(name));
            assert!(
                !there || network.allows(from, to, *port).is_err(),
                "{example}: {from} reaches {to}:{port}"
            );
        }
    }
}

#[test]
fn alertmanagers_gossip_if_there_are_several() {
    let gossip = |example: &str| {
        let objects = rendered(example);
        Network::of(&objects).allows("alertmanager", "alertmanager", 9094)
    };
    assert_eq!(gossip("ha"), Ok(()));
    assert!(gossip("default").is_err(), "one has nobody to talk to");
}

#[test]
fn tls_takes_the_same_ways_and_opens_no_other() {
    let (plain, tls) = (rendered("default"), rendered("tls"));
    let policies = |objects: &[Value]| -> Vec<Value> {
        let of_kind = objects.iter().filter(|object| object["kind"] == "NetworkPolicy");
        of_kind.cloned().collect()
    };
    assert!(policies(&plain).len() >= 10);
    assert_eq!(policies(&tls), policies(&plain));
    let (network, calls) = (Network::of(&tls), carried(&text_of("tls")));
    assert!(calls.len() >= 10, "{calls:?}");
    for (from, to, port) in &calls {
        assert_eq!(network.allows(from, to, *port), Ok(()));
    }
    // What a program is still configured to call by name, it calls without TLS.
    let past: BTreeSet<(String, String, u16)> = configured(&tls)
        .into_iter()
        .filter(|(_, to, port)| calls.iter().any(|call| (&call.1, call.2) == (to, *port)))
        .collect();
    assert_eq!(past, BTreeSet::new(), "past the proxies");
}

#[test]
fn each_end_of_a_connection_has_a_say() {
    let shipped = rendered("default");
    let calls = ("order-api", "user-service", 8002);
    let allowed = |objects: &[Value]| Network::of(objects).allows(calls.0, calls.1, calls.2);
    assert_eq!(allowed(&shipped), Ok(()));
    for (end, rules, said) in [
        ("order-api", "egress", "order-api may not connect to user-service:8002"),
        ("user-service", "ingress", "user-service does not let order-api in at 8002"),
    ] {
        let mut objects = shipped.clone();
        let policy = objects
            .iter_mut()
            .find(|object| object["kind"] == "NetworkPolicy" && object["metadata"]["name"] == end);
        policy.unwrap()["spec"][rules] = json!([]);
        assert_eq!(allowed(&objects).unwrap_err(), said);
    }
    // Without policies, everything passes: the simulation does not deny by itself.
    let mut open = shipped;
    open.retain(|object| object["kind"] != "NetworkPolicy");
    for (from, to, port) in DENIED {
        assert_eq!(Network::of(&open).allows(from, to, *port), Ok(()));
    }
}

#[test]
fn ports_and_peers_are_matched_as_the_api_defines_it() {
    let pod = |name: &str| {
        json!({ "kind": "Pod", "metadata": { "labels": { "app.kubernetes.io/name": name } },
                "spec": { "containers": [{ "ports": [{ "name": "http", "containerPort": 80 }] }] } })
    };
    let allowed = |rule: Value, port: u16| {
        let policy = json!({ "kind": "NetworkPolicy", "spec": {
            "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule] } });
        Network::of(&[pod("a"), pod("b"), policy]).allows("a", "b", port).is_ok()
    };
    let a = || json!({ "matchLabels": { "app.kubernetes.io/name": "a" } });
    assert!(allowed(json!({}), 1), "an empty rule is everything");
    assert!(allowed(json!({ "from": [{ "podSelector": a() }] }), 1));
    assert!(!allowed(json!({ "from": [{ "podSelector": a(), "namespaceSelector": {} }] }), 1), "elsewhere");
    assert!(!allowed(json!({ "from": [{ "ipBlock": { "cidr": "0.0.0.0/0" } }] }), 1), "an address");
    for (ports, port, passes) in [
        (json!([{ "port": 80 }]), 80, true),
        (json!([{ "port": 80 }]), 81, false),
        (json!([{ "port": 80, "endPort": 90 }]), 81, true),
        (json!([{ "port": "http" }]), 80, true),
        (json!([{ "port": "http" }]), 81, false),
        (json!([{ "port": 80, "protocol": "UDP" }]), 80, false),
        (json!([{ "protocol": "TCP" }]), 81, true),
    ] {
        assert_eq!(allowed(json!({ "ports": ports }), port), passes, "{ports} {port}");
    }
    let not_a = json!({ "matchExpressions": [{ "key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["a"] }] });
    assert!(!allowed(json!({ "from": [{ "podSelector": not_a }] }), 1));
}
