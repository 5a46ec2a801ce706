//! The tree is the architecture: fails where a crate or a module reaches for something that it must not know.
//! The rules are those of `docs/architecture.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const SERVICES: &[&str] = &["order-api", "user-service", "order-worker"];

/// Crates of this workspace that each crate may depend on, outside tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("chassis-serve", &[]),
    ("chassis-core", &[]),
    ("chassis-faults", &["chassis-core"]),
    ("chassis-telemetry", &["chassis-core", "chassis-faults"]),
    ("chassis-http", &["chassis-core", "chassis-faults", "chassis-serve", "chassis-telemetry"]),
    ("chassis-postgres", &["chassis-core", "chassis-faults", "chassis-telemetry"]),
    ("chassis-redis", &["chassis-core", "chassis-faults", "chassis-telemetry"]),
    ("chassis-kafka", &["chassis-core", "chassis-faults", "chassis-telemetry"]),
    ("chassis-outbox", &["chassis-kafka", "chassis-postgres", "chassis-telemetry"]),
    ("chassis-service", &["chassis-core", "chassis-faults", "chassis-http", "chassis-telemetry"]),
    ("contracts", &[]),
    ("reconcile", &[]),
    ("testkit", &["chassis", "contracts", "reconcile"]),
    ("order-api", &["chassis", "contracts"]),
    ("user-service", &["chassis", "contracts"]),
    ("order-worker", &["chassis", "contracts"]),
    ("load", &["chassis", "contracts", "serve"]),
    ("cli", &["contracts", "reconcile", "slo"]),
    ("lab-kafka", &["serve"]),
    ("lab-pager", &["serve"]),
    ("lab-traces", &["serve"]),
    ("slo", &[]),
    ("bench", &["chassis"]),
    ("docgen", &["chassis", "lab-pager", "lab-traces", "load", "order-api", "order-worker", "user-service"]),
    ("dashgen", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|e| e == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

/// Lines of `file` that name one of `words` as a path root, such as `sqlx::` or `use axum`.
fn mentions(file: &Path, words: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a readable source file");
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| words.iter().any(|w| names_crate(line, w)))
        .map(|(n, line)| format!("{}:{}: {}", file.display(), n + 1, line.trim()))
        .collect()
}

/// Whether `line` uses `word` as the root of a path; `chassis_http` does not use the crate `http`.
fn names_crate(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + word.len()..];
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'));
        starts
            && (after.starts_with("::")
                || (line.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

fn folder_of(service: &str) -> PathBuf {
    root().join("services").join(service).join("src")
}

#[test]
fn crates_depend_only_on_the_crates_below_them() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some((_, allowed)) = ALLOWED.iter().find(|(n, _)| *n == name) else {
            wrong.push(format!("{name} is not in the table of allowed dependencies"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let to = dependency["name"].as_str().expect("a name");
            let dev = dependency["kind"].as_str() == Some("dev");
            if names.contains(&to) && !dev && !allowed.contains(&to) {
                wrong.push(format!("{name} depends on {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that the architecture forbids:\n{}", wrong.join("\n"));
}

#[test]
fn domains_know_no_framework_word() {
    let forbidden =
        ["axum", "sqlx", "redis", "rdkafka", "chassis", "reqwest", "tracing_subscriber", "prometheus"];
    let found: Vec<String> = SERVICES
        .iter()
        .flat_map(|s| rust_files(&folder_of(s).join("domain")))
        .flat_map(|file| mentions(&file, &forbidden))
        .collect();
    assert!(found.is_empty(), "a domain is pure:\n{}", found.join("\n"));
}

#[test]
fn stores_are_reached_from_adapters_only() {
    let forbidden = ["sqlx", "redis", "rdkafka"];
    let mut found = Vec::new();
    for service in SERVICES {
        let source = folder_of(service);
        for file in rust_files(&source) {
            // lib.rs may name sqlx once: the embedded migrations are part of the build.
            let allowed = file.starts_with(source.join("adapters")) || file == source.join("lib.rs");
            if !allowed {
                found.extend(mentions(&file, &forbidden));
            }
        }
    }
    assert!(found.is_empty(), "sqlx, redis and rdkafka live in adapters:\n{}", found.join("\n"));
}

#[test]
fn the_chassis_knows_no_business_word() {
    let text_has_word = |line: &str| {
        let lower = line.to_lowercase();
        ["place_order", "order_id", "orders_", "payment", "contracts::"].iter().any(|w| lower.contains(w))
    };
    let found: Vec<String> = rust_files(&folder_of("chassis"))
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).expect("a readable source file");
            text.lines()
                .enumerate()
                .take_while(|(_, line)| !line.contains("#[cfg(test)]"))
                .filter(|(_, line)| !line.trim_start().starts_with("//") && text_has_word(line))
                .map(|(n, line)| format!("{}:{}: {}", file.display(), n + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "business words in the chassis:\n{}", found.join("\n"));
}
