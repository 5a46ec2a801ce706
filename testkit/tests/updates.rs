//! What `renovate.json` watches: each file that a manager of ours names exists and has pins in it, and what scripts install with cargo
//! is watched. A file that has moved would otherwise get no updates, and nobody would notice. Renovate's own managers, such as those of
//! crates and images, find their files by themselves; whether Renovate takes the rest of the file, only Renovate can say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;
use serde_json::Value;

/// Where the versions of what our managers find are looked up, in Renovate's words.
const SOURCES: [&str; 3] = ["crate", "docker", "go"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

fn renovate() -> Value {
    let text = fs::read_to_string(root().join("renovate.json")).expect("renovate.json");
    serde_json::from_str(&text).expect("JSON")
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// One of `customManagers`. Its files are paths, not patterns: each can be looked at.
struct Manager {
    what: String,
    files: Vec<String>,
    patterns: Vec<Regex>,
}

impl Manager {
    fn read(manager: &Value) -> Self {
        let what = manager["description"].as_str().expect("a manager says what it finds").to_owned();
        assert_eq!(manager["customType"], "regex", "{what}");
        let source = manager["datasourceTemplate"].as_str().unwrap_or_default();
        assert!(SOURCES.contains(&source), "{what}: versions of `{source}`");
        let pattern = |text: &String| Regex::new(text).unwrap_or_else(|error| panic!("{what}: {error}"));
        let patterns = strings(&manager["matchStrings"]).iter().map(pattern).collect();
        Self { files: strings(&manager["managerFilePatterns"]), patterns, what }
    }

    /// What it finds in a file, each as `NAME@VERSION`.
    fn pins(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let pin = |found: regex::Captures<'_>| format!("{}@{}", &found["depName"], &found["currentValue"]);
        self.patterns.iter().flat_map(|pattern| pattern.captures_iter(&text).map(pin)).collect()
    }
}

fn managers() -> Vec<Manager> {
    let managers: Vec<Manager> =
        renovate()["customManagers"].as_array().into_iter().flatten().map(Manager::read).collect();
    assert!(managers.len() > 3, "{} managers", managers.len());
    managers
}

/// What scripts install with cargo at a version: file, and `NAME@VERSION`.
fn installed() -> Vec<(String, String)> {
    let like = r"cargo install .*[a-z]@[0-9]+\.[0-9]+\.[0-9]";
    let args = ["grep", "-I", "-E", like];
    let found = Command::new("git").args(args).current_dir(root()).output().expect("git runs");
    let pin = Regex::new(r"[a-z][a-z0-9-]*@\d+\.\d+\.\d+").expect("a pattern");
    let row = |line: &str| {
        let (file, line) = line.split_once(':').expect("file, colon, line");
        (file.to_owned(), pin.find(line).expect("a name and a version").as_str().to_owned())
    };
    String::from_utf8(found.stdout).expect("UTF-8").lines().map(row).collect()
}

#[test]
fn each_file_of_a_manager_exists_and_has_a_pin() {
    for manager in managers() {
        assert!(!manager.files.is_empty() && !manager.patterns.is_empty(), "{} finds nothing", manager.what);
        for file in &manager.files {
            assert!(!manager.pins(file).is_empty(), "{}: no pin in {file}", manager.what);
        }
    }
}

#[test]
fn what_a_script_installs_with_cargo_is_watched() {
    let managers = managers();
    let installed = installed();
    assert!(installed.len() > 3, "{installed:?}");
    for (file, pin) in installed {
        let watches = |manager: &Manager| manager.files.contains(&file) && manager.pins(&file).contains(&pin);
        assert!(managers.iter().any(watches), "renovate.json does not watch {pin} in {file}");
    }
}

#[test]
fn a_rule_about_a_file_names_one_that_exists() {
    let rules = renovate()["packageRules"].clone();
    let files: Vec<String> =
        rules.as_array().into_iter().flatten().flat_map(|rule| strings(&rule["matchFileNames"])).collect();
    assert!(!files.is_empty(), "no rule names a file");
    for file in files {
        assert!(root().join(&file).is_file(), "{file}");
    }
}
