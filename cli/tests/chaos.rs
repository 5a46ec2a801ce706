//! The manifests for Chaos Mesh and Litmus against the schemas of their kinds (`deploy/chaos/schemas`), the chart and the
//! experiments that they belong to. No cluster is needed.

#![allow(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use regex::Regex;
use serde_json::Value;

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

/// What is wrong with a value: the keywords that the schemas use. Stricter than an API server, which drops the fields that
/// it does not know.
fn wrong(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        found.push(format!("{at}: expected {}, found {value}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: expected one of {}, found {value}", schema["enum"]));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        found.push(format!("{at}: expected {pattern}, found {value}"));
    }
    let number = value.as_f64();
    let bound = |name: &str| schema[name].as_f64();
    if bound("minimum").zip(number).is_some_and(|(least, number)| number < least)
        || bound("maximum").zip(number).is_some_and(|(most, number)| number > most)
    {
        found.push(format!("{at}: {value} is out of bounds"));
    }
    if schema["minItems"].as_u64() > value.as_array().map(|list| list.len() as u64).or(Some(u64::MAX)) {
        found.push(format!("{at}: expected at least {} values", schema["minItems"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong(&schema["items"], item, &format!("{at}[{index}]"), found);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match known {
            Some(known) => wrong(known, inner, &format!("{at}.{name}"), found),
            // `metadata`, of which the schemas say nothing.
            None if schema["properties"].is_null() => {}
            None => found.push(format!("{at}.{name} is unknown")),
        }
    }
}

fn problems(manifest: &Value) -> Vec<String> {
    let kind = manifest["kind"].as_str().unwrap();
    let mut found = Vec::new();
    wrong(&json(&format!("{}.json", kind.to_lowercase())), manifest, kind, &mut found);
    found
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
        assert!(problems(&manifest).iter().any(|problem| problem.contains(said)), "{field}: {:?}", problems(&manifest));
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
        let selected = chaos_mesh.into_iter().filter_map(|selector| selector["labelSelectors"][label].as_str());
        let litmus = spec["appinfo"]["applabel"].as_str().and_then(|text| text.strip_prefix(label)?.strip_prefix('='));
        let selected: Vec<&str> = selected.chain(litmus).collect();
        assert!(!selected.is_empty(), "{name} selects everything");
        for service in selected {
            assert!(chart.contains(&format!("{label}: {service}\n")), "{name}: no pod is called {service}");
        }
    }
}
