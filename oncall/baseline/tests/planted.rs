//! The shipped defaults have no finding that counts; each mistake that is planted in them is found, by the check that it is for.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

use std::{fs, net::IpAddr, path::Path};

use baseline::{
    Baseline, Facts, Report, audit,
    facts::{File, Listener, Package, Switch, manifests, packages},
};
use chrono::NaiveDate;
use serde_json::{Value, json};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shipped() -> Baseline {
    Baseline::parse("deploy/baseline.yaml", &read("deploy/baseline.yaml"))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A day on which the waivers hold that were written with this test.
fn then() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, 1).unwrap()
}

fn listener(part: &str, address: &str) -> Listener {
    Listener { part: part.to_owned(), address: address.parse::<IpAddr>().unwrap(), port: 9101 }
}

/// A lab as it is started, and the chart as it is rendered.
fn facts(example: &str) -> Facts {
    Facts {
        listeners: Some(vec![listener("order-api", "127.0.0.1"), listener("postgres", "::1")]),
        files: Some(vec![File { path: "secrets/postgres".to_owned(), mode: 0o600 }]),
        switches: Some(vec![Switch { part: "order-api".to_owned(), path: "/faults".to_owned(), open: true }]),
        packages: Some(packages(&read("Cargo.lock"))),
        manifests: Some(manifests(&read(&format!("deploy/helm/examples/{example}.yaml"))).unwrap()),
    }
}

fn open(report: &Report) -> Vec<String> {
    let one = |(outcome, finding): (&baseline::report::Outcome, &baseline::report::Judged)| {
        format!("{} {}: {}", outcome.id, finding.subject, finding.found)
    };
    report.open().map(one).collect()
}

#[test]
fn the_shipped_defaults_have_no_finding_without_a_waiver() {
    for example in ["default", "ha", "laptop", "existing", "tls"] {
        let report = audit(&facts(example), &shipped(), then());
        assert_eq!(open(&report), Vec::<String>::new(), "{example}");
        assert_eq!(report.score, 100, "{example}");
        for outcome in &report.checks {
            let few = example == "existing" && outcome.id.starts_with("LAB-5.");
            assert!(
                few || outcome.subjects.is_some_and(|subjects| subjects > 0),
                "{} looks at nothing",
                outcome.id
            );
        }
    }
}

#[test]
fn a_waiver_ends_and_one_that_nothing_needs_is_named() {
    let late = NaiveDate::from_ymd_opt(2100, 1, 1).unwrap();
    let report = audit(&facts("default"), &shipped(), late);
    assert!(!open(&report).is_empty() && report.score < 100);
    let mut unneeded = shipped();
    unneeded.waivers[0].subject = "nothing".to_owned();
    let report = audit(&facts("default"), &unneeded, then());
    assert_eq!(report.unused, [format!("{} nothing", unneeded.waivers[0].check)]);
}

#[test]
fn what_was_not_looked_at_is_neither_right_nor_wrong() {
    let report = audit(&Facts::default(), &shipped(), then());
    assert_eq!((report.score, open(&report).len(), report.unused.len()), (0, 0, 0));
    assert!(report.checks.iter().all(|outcome| outcome.subjects.is_none()));
}

/// The manifest of this kind and name.
fn object<'a>(facts: &'a mut Facts, kind: &str, name: &str) -> &'a mut Value {
    let manifests = facts.manifests.as_mut().unwrap();
    let found =
        manifests.iter_mut().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn pod(facts: &mut Facts) -> &mut Value {
    &mut object(facts, "Deployment", "order-api")["spec"]["template"]["spec"]
}

fn container(facts: &mut Facts) -> &mut Value {
    &mut pod(facts)["containers"][0]
}

fn role(facts: &mut Facts) -> &mut Value {
    &mut object(facts, "Role", "prometheus")["rules"][0]
}

type Plant = fn(&mut Facts);

const PLANTED: &[(&str, &str, Plant)] = &[
    ("LAB-1.1", "redis", |facts| facts.listeners.as_mut().unwrap().push(listener("redis", "0.0.0.0"))),
    ("LAB-1.1", "redis", |facts| facts.listeners.as_mut().unwrap().push(listener("redis", "192.168.1.7"))),
    ("LAB-2.1", "order-api", |facts| facts.listeners.as_mut().unwrap()[0] = listener("order-api", "0.0.0.0")),
    ("LAB-3.1", "secrets/x", |facts| {
        facts.files.as_mut().unwrap().push(File { path: "secrets/x".to_owned(), mode: 0o644 });
    }),
    ("LAB-4.1", "h2", |facts| {
        let (name, version) = ("h2".to_owned(), "0.4.3".to_owned());
        facts.packages.as_mut().unwrap().push(Package { name, version });
    }),
    ("LAB-5.1", "Role/prometheus", |facts| role(facts)["verbs"] = json!(["*"])),
    ("LAB-5.2", "Role/prometheus", |facts| role(facts)["resources"] = json!(["pods", "secrets"])),
    ("LAB-5.3", "Role/prometheus", |facts| role(facts)["verbs"] = json!(["create"])),
    ("LAB-5.3", "RoleBinding/prometheus", |facts| {
        object(facts, "RoleBinding", "prometheus")["roleRef"]["name"] = json!("cluster-admin");
    }),
    ("LAB-5.4", "Deployment/order-api", |facts| pod(facts)["automountServiceAccountToken"] = json!(true)),
    ("LAB-5.5", "Deployment/order-api", |facts| pod(facts)["hostNetwork"] = json!(true)),
    ("LAB-5.5", "Deployment/order-api", |facts| {
        pod(facts)["volumes"] = json!([{"name": "host", "hostPath": {"path": "/"}}]);
    }),
    ("LAB-5.6", "Deployment/order-api/order-api", |facts| {
        container(facts)["securityContext"]["privileged"] = json!(true);
    }),
    ("LAB-5.7", "Deployment/order-api/order-api", |facts| {
        container(facts)["securityContext"]["runAsUser"] = json!(0);
    }),
    ("LAB-5.8", "Deployment/order-api/order-api", |facts| {
        container(facts)["securityContext"]["capabilities"] = json!({"drop": ["ALL"], "add": ["NET_ADMIN"]});
    }),
    ("LAB-5.8", "Deployment/order-api/order-api", |facts| {
        container(facts)["securityContext"]["readOnlyRootFilesystem"] = json!(false);
    }),
    ("LAB-5.9", "docker.io/library/redis:latest", |facts| {
        container(facts)["image"] = json!("docker.io/library/redis:latest");
    }),
    ("LAB-5.10", "Deployment/order-api/order-api", |facts| container(facts)["resources"] = json!({})),
    ("LAB-5.11", "Deployment/order-api/order-api", |facts| {
        container(facts)["env"] = json!([{"name": "DATABASE_PASSWORD", "value": "hunter2"}]);
    }),
    ("LAB-5.12", "Deployment/order-api", |facts| {
        facts
            .manifests
            .as_mut()
            .unwrap()
            .retain(|object| object["kind"] != "NetworkPolicy" || object["metadata"]["name"] != "order-api");
    }),
    ("LAB-5.12", "NetworkPolicy/redis", |facts| {
        object(facts, "NetworkPolicy", "redis")["spec"]["ingress"] = json!([{}]);
    }),
    ("LAB-5.13", "Service/redis", |facts| {
        object(facts, "Service", "redis")["spec"]["type"] = json!("LoadBalancer");
    }),
    ("LAB-5.14", "Deployment/order-api", |facts| {
        pod(facts)["initContainers"] = json!([{"name": "tls", "restartPolicy": "Always"}]);
    }),
    ("LAB-5.14", "Ingress/control-room", |facts| {
        facts.manifests.as_mut().unwrap().push(ingress(&json!([])));
    }),
];

/// An ingress that leads to order-api.
fn ingress(tls: &Value) -> Value {
    let backend = json!({"service": {"name": "order-api", "port": {"name": "http"}}});
    json!({
        "kind": "Ingress",
        "metadata": {"name": "control-room"},
        "spec": {"tls": tls, "rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]},
    })
}

/// The controller of an ingress has no certificate of the lab.
#[test]
fn a_program_that_an_ingress_leads_to_may_listen_beside_its_proxy() {
    let mut facts = facts("default");
    pod(&mut facts)["initContainers"] = json!([{"name": "tls", "restartPolicy": "Always"}]);
    facts.manifests.as_mut().unwrap().push(ingress(&json!([{"secretName": "room"}])));
    let found = open(&audit(&facts, &shipped(), then()));
    assert!(!found.iter().any(|finding| finding.starts_with("LAB-5.14 ")), "{found:?}");
}

#[test]
fn every_planted_mistake_is_found_by_its_check() {
    for (id, subject, plant) in PLANTED {
        let mut facts = facts("default");
        plant(&mut facts);
        let report = audit(&facts, &shipped(), then());
        let found = open(&report);
        let start = format!("{id} {subject}: ");
        assert!(found.iter().any(|finding| finding.starts_with(&start)), "{start} is not in {found:?}");
        assert!(report.score < 100, "{start}");
    }
}

#[test]
fn every_check_has_a_mistake_that_it_finds() {
    for check in baseline::checks::CHECKS {
        assert!(PLANTED.iter().any(|(id, ..)| *id == check.id), "nothing is planted for {}", check.id);
    }
}
