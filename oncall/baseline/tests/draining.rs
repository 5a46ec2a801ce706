//! A pod that is drained in a cluster: its Service alone loses it. On the rendered charts, which
//! `tests/kubernetes/run chart` compares with what the chart renders.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

use std::{fs, path::Path};

use baseline::{facts::manifests, network::Network};
use serde_json::{Value, json};

/// The label that changes, and how its value ends then: as `oncall/switchboard` sets it.
const SERVES: &str = "app.kubernetes.io/component";
const DRAINED: &str = "-drained";
/// What is behind the edge, in a release, too.
const BALANCED: [&str; 4] = ["order-api", "user-service", "order-api-baseline", "order-api-canary"];
/// Whole labs. `release` is rendered without the lab that it is added to.
const LABS: [&str; 5] = ["default", "ha", "laptop", "existing", "tls"];

fn rendered(example: &str) -> Vec<Value> {
    let path = format!("../../deploy/helm/examples/{example}.yaml");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    manifests(&text).unwrap()
}

/// Whether labels have all that a selector asks for.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().expect("a selector");
    !wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key] == *value)
}

/// Names of the Services that select a pod.
fn services<'m>(objects: &'m [Value], labels: &Value) -> Vec<&'m str> {
    let all = objects.iter().filter(|object| object["kind"] == "Service");
    let found = all.filter(|service| service["spec"]["selector"].is_object());
    let found = found.filter(|service| selects(&service["spec"]["selector"], labels));
    found.filter_map(|service| service["metadata"]["name"].as_str()).collect()
}

/// The Deployments of what is behind the edge: their places, and their names.
fn balanced(objects: &[Value]) -> Vec<(usize, String)> {
    let all = objects.iter().enumerate().filter(|(_, object)| object["kind"] == "Deployment");
    let named = all.filter_map(|(place, object)| Some((place, object["metadata"]["name"].as_str()?)));
    let found = named.filter(|(_, name)| BALANCED.contains(name));
    found.map(|(place, name)| (place, name.to_owned())).collect()
}

#[test]
fn a_drained_pod_leaves_its_service_and_nothing_else() {
    for example in LABS.into_iter().chain(["release"]) {
        let objects = rendered(example);
        let found = balanced(&objects);
        assert_eq!(found.len(), 2, "{example}: {found:?}");
        for (place, name) in found {
            let spec = &objects[place]["spec"];
            let serves = &spec["template"]["metadata"]["labels"];
            let mut drained = serves.clone();
            drained[SERVES] = format!("{name}{DRAINED}").into();
            // By its own address, its faults can be switched: that Service takes no requests of users.
            let own = format!("{name}-pods");
            let others = |labels: &Value| -> Vec<&str> {
                services(&objects, labels).into_iter().filter(|service| *service != own).collect()
            };
            assert_eq!(others(serves), [name.as_str()], "{example}");
            assert_eq!(others(&drained), Vec::<&str>::new(), "{example}: {name} is drained, and serves");
            assert!(selects(&spec["selector"]["matchLabels"], &drained), "{example}: {name} is nobody's pod");
        }
    }
}

#[test]
fn a_drained_pod_keeps_the_network_policies_that_know_it() {
    for example in LABS {
        let objects = rendered(example);
        for (place, name) in balanced(&objects) {
            let mut drained = objects.clone();
            drained[place]["spec"]["template"]["metadata"]["labels"][SERVES] =
                format!("{name}{DRAINED}").into();
            let (before, after) = (Network::of(&objects), Network::of(&drained));
            let mut allowed = 0;
            // The stores, the other services, and who calls it.
            for (other, port) in
                [("postgres", 5432), ("redis", 6379), ("redpanda", 9092), ("user-service", 8002)]
            {
                let to = before.allows(&name, other, port);
                assert_eq!(after.allows(&name, other, port), to, "{example}: from {name}");
                allowed += u32::from(to.is_ok());
            }
            for (other, port) in [("edge", 8001), ("edge", 8002), ("order-api", 8002), ("prometheus", 9101)] {
                let from = before.allows(other, &name, port);
                assert_eq!(after.allows(other, &name, port), from, "{example}: to {name}");
                allowed += u32::from(from.is_ok());
            }
            assert!(allowed > 0, "{example}: {name} reaches nobody, drained or not");
        }
    }
}

#[test]
fn an_upgrade_takes_no_requests_from_the_pods_that_it_has_not_replaced_yet() {
    // The labels that pods have had since the first chart. One more in the selector of a Service, and each upgrade from
    // a chart without it would leave that Service without pods until the new ones are ready.
    let objects = rendered("default");
    for (_, name) in balanced(&objects) {
        let before = json!({
            "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "sre-lab",
            "app.kubernetes.io/component": name, "app.kubernetes.io/part-of": "sre-lab",
        });
        assert!(services(&objects, &before).contains(&name.as_str()), "{name}");
    }
}
