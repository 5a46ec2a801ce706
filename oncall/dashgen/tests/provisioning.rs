//! Grafana's provisioning files: their variables are documented, every uid that they point to exists, and the
//! queries of the links between signals are valid.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use dashgen::check::names::Names;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const SOURCES: &str = "dashboards/grafana/provisioning/datasources/lab.yml";
const PROVIDERS: &str = "dashboards/grafana/provisioning/dashboards/lab.yml";

/// The file as Grafana reads it: variables replaced, `$$` unescaped.
fn provisioned(path: &str) -> Value {
    let text = without_comments(&read(path)).replace("$$", "\u{0}");
    let text =
        variables(&text).iter().fold(text.clone(), |text, name| text.replace(&format!("${name}"), "filled"));
    serde_saphyr::from_str(&text.replace('\u{0}', "$")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

fn variables(text: &str) -> BTreeSet<String> {
    let names = text.split('$').skip(1);
    names.map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()).collect()
}

#[test]
fn every_variable_is_documented_and_set_by_local_mode() {
    let (page, local) = (read("docs/dashboards.md"), read("cli/src/parts/grafana.rs"));
    let mut used = BTreeSet::new();
    for path in [SOURCES, PROVIDERS] {
        used.extend(variables(&without_comments(&read(path)).replace("$$", "")));
    }
    assert_eq!(used.len(), 6, "{used:?}");
    for name in used {
        assert!(page.contains(&format!("`{name}`")), "docs/dashboards.md does not explain {name}");
        assert!(local.contains(&format!("\"{name}\"")), "local mode does not set {name}");
    }
}

#[test]
fn every_link_leads_to_an_existing_data_source() {
    let file = provisioned(SOURCES);
    let sources = file["datasources"].as_array().expect("a list");
    let uids: BTreeSet<_> = sources.iter().map(|source| source["uid"].as_str().expect("a uid")).collect();
    assert_eq!(uids, BTreeSet::from(["alertmanager", "jaeger", "loki", "prometheus"]));
    let mut jumps = BTreeSet::new();
    for source in sources {
        let from = source["uid"].as_str().expect("a uid");
        targets(&source["jsonData"], &mut |to| {
            assert!(uids.contains(to), "{from} points to {to}");
            jumps.insert(format!("{from} -> {to}"));
        });
    }
    let wanted = ["jaeger -> loki", "jaeger -> prometheus", "loki -> jaeger", "prometheus -> jaeger"];
    assert_eq!(jumps, wanted.map(str::to_owned).into());
}

fn targets(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(map) => {
            map.get("datasourceUid").and_then(Value::as_str).into_iter().for_each(&mut *found);
            map.values().for_each(|value| targets(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| targets(value, found)),
        _ => {}
    }
}

#[test]
fn the_queries_of_a_span_use_exported_metrics() {
    let names = Names::load(&root()).unwrap();
    let file = provisioned(SOURCES);
    let jaeger =
        file["datasources"].as_array().unwrap().iter().find(|source| source["uid"] == "jaeger").unwrap();
    let queries = jaeger["jsonData"]["tracesToMetrics"]["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 3);
    for query in queries {
        let text = query["query"].as_str().unwrap();
        assert!(text.contains("$__tags"), "{text}");
        let asked = text.replace("$__tags", "service=\"order-api\"");
        assert_eq!(names.judge(&asked, "").unwrap(), Vec::<String>::new(), "{text}");
    }
    let logs = jaeger["jsonData"]["tracesToLogsV2"]["query"].as_str().unwrap();
    assert_eq!(logs, "{${__tags}} | json | trace_id=\"${__trace.traceId}\"");
    let loki = file["datasources"].as_array().unwrap().iter().find(|source| source["uid"] == "loki").unwrap();
    assert_eq!(loki["jsonData"]["derivedFields"][0]["url"], "${__value.raw}");
}
