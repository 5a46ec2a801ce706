//! The manifests for Argo CD, Argo Rollouts, Flagger and Flux against the schemas of their kinds (`deploy/gitops/schemas`), and
//! their queries against what order-api exports; the query of the chart's ScaledObject for KEDA against what order-worker exports;
//! what the Jenkinsfile calls. No cluster is needed.

#![allow(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use dashgen::check::promql;
use serde_json::{Value, json};

mod shapes;

const ENGINES: [&str; 3] = ["argo-rollouts", "flagger", "flux"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// All manifests: file and content.
fn manifests() -> Vec<(String, Value)> {
    let folder = root().join("deploy/gitops");
    let mut files = vec![folder.join("argocd-application.yaml")];
    for engine in ENGINES {
        files.extend(fs::read_dir(folder.join(engine)).unwrap().map(|entry| entry.unwrap().path()));
    }
    assert!(files.len() >= 8, "{files:?}");
    files.iter().map(|file| (file.display().to_string(), yaml(file))).collect()
}

/// The only manifest of a kind.
fn of_kind(kind: &str) -> Value {
    let (_, found) = manifests().into_iter().find(|(_, one)| one["kind"] == kind).unwrap();
    found
}

fn problems(manifest: &Value) -> Vec<String> {
    let kind = manifest["kind"].as_str().unwrap();
    let path = root().join("deploy/gitops/schemas").join(format!("{}.json", kind.to_lowercase()));
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    shapes::wrong(&schema, manifest, kind)
}

/// The queries of a manifest, with a value for each argument.
fn queries(manifest: &Value) -> Vec<String> {
    let many = manifest["spec"]["metrics"].as_array().into_iter().flatten();
    let many = many.map(|metric| &metric["provider"]["prometheus"]["query"]);
    let all = many.chain([&manifest["spec"]["query"]]).filter_map(Value::as_str);
    let arguments = [
        ("{{args.canary}}", "5d9f"),
        ("{{args.stable}}", "7c8b"),
        ("{{ target }}", "order-api"),
        ("{{ interval }}", "1m"),
    ];
    let filled = |query: &str| {
        arguments.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value))
    };
    all.map(filled).collect()
}

#[test]
fn every_manifest_has_the_shape_of_its_kind() {
    for (file, manifest) in manifests() {
        assert_eq!(problems(&manifest), [""; 0], "{file}");
    }
    let mut rollout = of_kind("Rollout");
    rollout["spec"]["strategy"]["canary"]["steps"][0] = json!({ "setWeigth": 5 });
    assert_eq!(problems(&rollout), ["Rollout.spec.strategy.canary.steps[0].setWeigth is unknown"]);
    let mut application = of_kind("Application");
    application["spec"]["syncPolicy"]["automated"]["selfHeel"] = json!(true);
    assert_eq!(problems(&application), ["Application.spec.syncPolicy.automated.selfHeel is unknown"]);
}

#[test]
fn argo_cd_and_flux_install_this_chart_in_its_version() {
    let (application, chart) = (of_kind("Application"), yaml(&root().join("deploy/helm/sre-lab/Chart.yaml")));
    let source = &application["spec"]["source"];
    assert!(chart["version"].is_string(), "{chart}");
    assert_eq!((&source["chart"], &source["targetRevision"]), (&chart["name"], &chart["version"]));
    assert_eq!(of_kind("OCIRepository")["spec"]["ref"]["tag"], chart["version"]);
    // With a scheme, Argo CD takes it for a repository of HTTP.
    assert!(!source["repoURL"].as_str().unwrap().contains("://"), "{source}");
}

/// The scripts in the steps `sh` of a Jenkinsfile.
fn scripts(jenkinsfile: &str) -> Vec<&str> {
    let steps = jenkinsfile.split(" sh '").skip(1);
    let script = steps.map(|rest| match rest.strip_prefix("''") {
        Some(several) => several.split_once("'''"),
        None => rest.split_once('\''),
    });
    script.map(|parts| parts.unwrap().0).collect()
}

/// The paths of the repository in a script: words with a slash inside, but no absolute ones.
fn paths(script: &str) -> impl Iterator<Item = &str> {
    let words = script.split(|c: char| !(c.is_ascii_alphanumeric() || "-._/".contains(c)));
    words.filter(|word| word.find('/').is_some_and(|at| at > 0))
}

#[test]
fn jenkins_calls_what_is_in_the_repository() {
    let text = fs::read_to_string(root().join("deploy/ci/Jenkinsfile")).unwrap();
    let called: BTreeSet<&str> = scripts(&text).into_iter().flat_map(paths).collect();
    assert!(called.len() >= 4 && called.contains("deploy/package"), "{called:?}");
    for path in called {
        let file = root().join(path);
        let is_file = fs::metadata(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        // What has an extension is read by a program.
        let runs = file.extension().is_some() || is_file.permissions().mode() & 0o111 != 0;
        assert!(is_file.is_file() && runs, "{path} is not a program");
    }
    let planted = "steps { sh './lab test'\n sh '''\n set -eu\n X=$(deploy/pack version) >/dev/null\n''' }";
    let found: Vec<&str> = scripts(planted).into_iter().flat_map(paths).collect();
    assert_eq!(found, ["./lab", "deploy/pack"]);
}

#[test]
fn every_query_parses_and_uses_what_order_api_exports() {
    let exported =
        fs::read_to_string(root().join("services/order-api/tests/api/snapshots/metrics.txt")).unwrap();
    let all: Vec<String> = manifests().iter().flat_map(|(_, manifest)| queries(manifest)).collect();
    assert_eq!(all.len(), 4, "{all:?}");
    for query in all {
        assert!(!query.contains("{{"), "an argument without a value: {query}");
        let selectors = promql::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}")).selectors;
        assert_eq!(selectors.len(), 4, "{query}");
        for selector in selectors {
            let family = selector.metric.trim_end_matches("_bucket").trim_end_matches("_count");
            assert!(
                exported.contains(&format!("\n{family} ")),
                "{} is not exported: {query}",
                selector.metric
            );
        }
    }
}

/// Without such a series KEDA takes the lag for unknown, and there are always as many pods as there may be.
#[test]
fn keda_asks_for_a_lag_that_order_worker_exports() {
    let template = fs::read_to_string(root().join("deploy/helm/sre-lab/templates/keda.yaml")).unwrap();
    let query = template.lines().find_map(|line| line.trim().strip_prefix("query: ")).unwrap();
    let selectors = promql::parse(query).unwrap().selectors;
    assert_eq!(selectors.len(), 1, "{query}");
    let exported = root().join("services/order-worker/tests/api/snapshots/metrics.txt");
    let exported = fs::read_to_string(exported).unwrap();
    let family = format!("\n{} gauge {{partition,topic}} ", selectors[0].metric);
    assert!(exported.contains(&family), "{query}");
    let has = |name: &str, value: &str| {
        selectors[0].matchers.iter().any(|(label, _, wanted)| label == name && wanted == value)
    };
    assert!(has("topic", contracts::topics::ORDERS) && has("service", "order-worker"), "{query}");
}

#[test]
fn a_canary_has_the_steps_of_a_release() {
    let rollout = of_kind("Rollout");
    let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().unwrap();
    let weights: Vec<u64> = steps.iter().filter_map(|step| step["setWeight"].as_u64()).collect();
    let steps = release::run::STEPS.iter().map(|step| u64::from(*step));
    assert_eq!(weights, steps.filter(|step| *step < 100).collect::<Vec<_>>());
}
