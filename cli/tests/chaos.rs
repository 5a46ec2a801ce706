//! The manifests for Chaos Mesh and Litmus against the schemas of their kinds (`deploy/chaos/schemas`), the chart and the
//! experiments that they belong to; and the commands that act on a cluster, where only kubectl and docker are fakes. No
//! cluster is needed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and PATH is what it changes"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

mod shapes;

const ENGINES: [&str; 2] = ["chaos-mesh", "litmus"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/chaos")
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join("schemas").join(name)).unwrap()).unwrap()
}

/// All manifests: name and content.
fn manifests() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for engine in ENGINES {
        for entry in fs::read_dir(folder().join(engine)).unwrap() {
            let path = entry.unwrap().path();
            all.push((path.file_stem().unwrap().to_string_lossy().into_owned(), yaml(&path)));
        }
    }
    assert!(all.len() >= 16, "{}", all.len());
    all
}

fn problems(manifest: &Value) -> Vec<String> {
    let kind = manifest["kind"].as_str().unwrap();
    shapes::wrong(&json(&format!("{}.json", kind.to_lowercase())), manifest, kind)
}

#[test]
fn every_manifest_has_the_shape_of_its_kind() {
    for (name, manifest) in manifests() {
        assert_eq!(problems(&manifest), [""; 0], "{name}");
        assert_eq!(manifest["metadata"]["name"], name.as_str());
    }
}

/// The check is worth something: each of these is refused.
#[test]
fn planted_mistakes_are_found() {
    let path = |engine: &str, name: &str| yaml(&folder().join(engine).join(format!("{name}.yaml")));
    let planted: [(Value, &str, Value, &str); 6] = [
        (path("chaos-mesh", "partition"), "/spec/action", "split".into(), "spec.action: expected one of"),
        (path("chaos-mesh", "partition"), "/spec/selector", Value::Null, "spec.selector: expected"),
        (path("chaos-mesh", "slow-disk"), "/spec/percent", "half".into(), "spec.percent: expected"),
        (path("chaos-mesh", "starved"), "/spec/stressors/cpu/workers", 0.5.into(), "workers: expected"),
        (path("litmus", "pod-kill"), "/spec/engineState", "on".into(), "spec.engineState: expected"),
        (path("litmus", "pod-kill"), "/spec/appinfo/appkind", "pod".into(), "appinfo.appkind: expected"),
    ];
    for (mut manifest, field, value, said) in planted {
        *manifest.pointer_mut(field).unwrap() = value;
        assert!(
            problems(&manifest).iter().any(|problem| problem.contains(said)),
            "{field}: {:?}",
            problems(&manifest)
        );
    }
    let mut odd = path("chaos-mesh", "partition");
    odd["spec"]["durationn"] = "45s".into();
    odd["spec"].as_object_mut().unwrap().remove("mode");
    let found = problems(&odd).join(", ");
    assert!(found.contains("durationn is unknown") && found.contains("spec.mode is missing"), "{found}");
}

/// Litmus ignores variables that a fault does not read.
#[test]
fn every_variable_of_litmus_is_one_that_its_fault_reads() {
    let known: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_value(json("litmus-variables.json")).unwrap();
    for (name, manifest) in manifests() {
        for fault in manifest["spec"]["experiments"].as_array().into_iter().flatten() {
            let known = &known[fault["name"].as_str().unwrap()];
            for variable in fault["spec"]["components"]["env"].as_array().unwrap() {
                let variable = variable["name"].as_str().unwrap();
                assert!(known.contains(variable), "{name}: {variable} is not one of {known:?}");
            }
        }
    }
}

/// An engine ends by itself a little later than the command does, and soon if the command is killed.
#[test]
fn every_manifest_ends_with_its_experiment() {
    for (name, manifest) in manifests() {
        let experiment = yaml(&folder().join(format!("{name}.yaml")));
        let steps = experiment["method"].as_array().unwrap().iter();
        let lasts = steps.map(|step| humantime::parse_duration(step["lasts"].as_str().unwrap()).unwrap());
        let lasts: Duration = lasts.sum();
        let env = manifest.pointer("/spec/experiments/0/spec/components/env").and_then(Value::as_array);
        let litmus = env.into_iter().flatten().find(|variable| variable["name"] == "TOTAL_CHAOS_DURATION");
        let own = match (&manifest["spec"]["duration"], litmus) {
            (Value::String(time), _) => humantime::parse_duration(time).unwrap(),
            (_, Some(seconds)) => Duration::from_secs(seconds["value"].as_str().unwrap().parse().unwrap()),
            // Deletes a pod, once.
            _ => {
                assert_eq!(manifest["spec"]["action"], "pod-kill", "{name}");
                continue;
            }
        };
        let most = lasts + Duration::from_secs(30);
        assert!(own >= lasts && own <= most, "{name} lasts {lasts:?}, and its manifest {own:?}");
    }
}

#[test]
fn every_selector_selects_pods_of_the_chart() {
    let chart = fs::read_to_string(folder().join("../helm/examples/default.yaml")).unwrap();
    let label = "app.kubernetes.io/name";
    for (name, manifest) in manifests() {
        let spec = &manifest["spec"];
        let chaos_mesh = [&spec["selector"], &spec["target"]["selector"]];
        let selected =
            chaos_mesh.into_iter().filter_map(|selector| selector["labelSelectors"][label].as_str());
        let litmus =
            spec["appinfo"]["applabel"].as_str().and_then(|text| text.strip_prefix(label)?.strip_prefix('='));
        let selected: Vec<&str> = selected.chain(litmus).collect();
        assert!(!selected.is_empty(), "{name} selects everything");
        for service in selected {
            assert!(chart.contains(&format!("{label}: {service}\n")), "{name}: no pod is called {service}");
        }
    }
}

/// Programs that only note how they were called; kubectl knows two nodes, one of which it cannot drain, Chaos Mesh and no
/// Litmus.
fn fakes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}"}},"spec":{{"providerID":"kind://docker/lab/{name}"}},"status":{{"conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
        )
    };
    let nodes = format!(r#"{{"items":[{},{}]}}"#, node("worker"), node("worker2"));
    fs::write(folder.path().join("nodes.json"), nodes).unwrap();
    let here = folder.path().display();
    let kubectl = format!(
        "#!/bin/sh\necho \"kubectl $*\" >>{here}/calls\ncase \"$*\" in\n\
         *'get nodes'*) exec cat {here}/nodes.json ;;\n\
         *'drain worker2'*) echo 'error: drain did not complete within 1m40s' >&2; exit 1 ;;\n\
         *'get deployments'*) echo '{{\"items\":[{{\"kind\":\"Role\",\"metadata\":{{\"name\":\"all\"}},\"rules\":[{{\"verbs\":[\"*\"]}}]}}]}}'; exit ;;\n\
         *litmus/*) echo 'error: no matches for kind \"ChaosEngine\"' >&2; exit 1 ;;\nesac\n"
    );
    let docker = format!("#!/bin/sh\necho \"docker $*\" >>{here}/calls\n");
    for (name, script) in [("kubectl", kubectl), ("docker", docker)] {
        let program = folder.path().join(name);
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// Runs `lab`; its output, and what the fakes were called with.
fn lab(args: &[&str]) -> (bool, String, String) {
    let fakes = fakes();
    let path = format!("{}:{}", fakes.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("PATH", path)
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let calls = fs::read_to_string(fakes.path().join("calls")).unwrap_or_default();
    (output.status.success(), said, calls)
}

#[test]
fn a_node_is_drained_by_kubectl_lost_by_docker_and_brought_back() {
    let (done, said, calls) = lab(&["--context", "kind-x", "node", "drain", "worker"]);
    assert!(done && calls.contains("drain worker --ignore-daemonsets"), "{said}{calls}");
    let (done, said, _) = lab(&["--context", "kind-x", "node", "drain", "worker2"]);
    assert!(!done && said.contains("`lab node back worker2`") && said.contains("did not complete"), "{said}");
    let (done, said, calls) = lab(&["--context", "kind-x", "node", "lose", "worker2"]);
    assert!(done && calls.ends_with("docker kill worker2\n"), "{said}{calls}");
    let (done, said, calls) = lab(&["--context", "kind-x", "node", "back", "worker"]);
    assert!(done && calls.contains("node/worker\n") && calls.contains("uncordon worker\n"), "{said}{calls}");
    let (done, said, _) = lab(&["node", "drain", "worker"]);
    assert!(!done && said.contains("name it with --context"), "{said}");
}

#[test]
fn stop_deletes_what_the_engines_have_and_minds_no_engine_that_is_missing() {
    let (done, said, calls) = lab(&["--context", "k8s", "chaos", "stop"]);
    assert!(done && said.contains("nothing of Litmus is left"), "{said}");
    let deleted = calls.lines().filter(|call| call.contains("delete --ignore-not-found")).count();
    assert_eq!(deleted, manifests().len(), "{calls}");
}

#[test]
fn an_audit_of_a_cluster_judges_what_its_api_server_has() {
    let (held, said, _) = lab(&["--context", "kind-x", "audit", "config"]);
    assert!(!held && said.contains("Role/all: has `*` in verbs"), "{said}");
    assert!(said.contains("LAB-1.1   not looked at"), "nothing of this machine: {said}");
}

#[test]
fn the_list_says_where_each_experiment_runs_and_a_wrong_name_gets_the_list() {
    let (done, said, _) = lab(&["chaos", "list"]);
    assert!(done, "{said}");
    let line = |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("slow-database").contains("lab up --chaos, Chaos Mesh, Litmus"), "{said}");
    assert!(line("cache-loss").contains("lab up ") && !line("wrong-clock").contains("lab up"), "{said}");
    let (done, said, _) = lab(&["chaos", "run", "slow-databse"]);
    assert!(!done && said.contains("there are: ") && said.contains("slow-database"), "{said}");
    let (done, said, _) =
        lab(&["--context", "k8s", "chaos", "run", "wrong-clock", "--engine", "litmus", "--check"]);
    assert!(!done && said.contains("deploy/chaos/litmus has no wrong-clock.yaml"), "{said}");
    let (done, said, _) = lab(&["--context", "k8s", "chaos", "run", "wrong-clock", "--check"]);
    assert!(done && said.contains("wrong-clock, by Chaos Mesh for 60 s"), "{said}");
}
