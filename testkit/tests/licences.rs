//! None of our programs, including test tools, links code under a licence that asks for more than its notice.
//! `cargo deny` checks the crates; this checks the rest: Go modules, npm packages, and that `deny.toml` allows no
//! such licence.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Go modules under the AGPL that work on observability may bring in, including everything below them.
const AGPL_MODULES: &[&str] = &[
    "github.com/grafana/grafana",
    "github.com/grafana/loki",
    "github.com/grafana/mimir",
    "github.com/grafana/oncall",
    "github.com/grafana/phlare",
    "github.com/grafana/pyroscope",
    "github.com/grafana/tempo",
    "github.com/minio/console",
    "github.com/minio/mc",
    "github.com/minio/minio",
    "go.k6.io/k6",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

/// Every file of the repository, without what is built, installed or stored next to it.
fn files() -> Vec<PathBuf> {
    let files = files_below(&root());
    assert!(files.len() > 300, "too few files found");
    files
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let (folders, mut files): (Vec<_>, Vec<_>) =
        entries.map(|entry| entry.expect("an entry").path()).partition(|path| path.is_dir());
    for folder in folders.into_iter().filter(|folder| !folder.is_symlink()) {
        let own = |name: &str| folder.file_name().is_some_and(|folder| folder == name);
        if ![".git", ".lab", "node_modules", "target"].into_iter().any(own) {
            files.extend(files_below(&folder));
        }
    }
    // Links may be dangling; their targets are listed under their own names.
    files.retain(|file| file.is_file() && !file.is_symlink());
    files
}

fn named(files: &[PathBuf], name: &str) -> Vec<PathBuf> {
    files.iter().filter(|file| file.file_name().is_some_and(|own| own == name)).cloned().collect()
}

/// Whether the text names this module as a module: after `https://` it is a link, and `pyroscope-go` is a different
/// one.
fn uses(text: &str, module: &str) -> bool {
    text.match_indices(module).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + module.len()..].chars().next();
        let inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
        before != Some('/') && !after.is_some_and(inside)
    })
}

fn agpl_modules(text: &str) -> Vec<&'static str> {
    AGPL_MODULES.iter().copied().filter(|module| uses(text, module)).collect()
}

/// Licences of npm packages beyond those that `deny.toml` allows: they ask for less than MIT does. No program that we
/// give away has such a package in it: npm brings tests only.
const OF_TEST_TOOLS: [&str; 3] = ["0BSD", "CC0-1.0", "ISC"];
/// Packages under the MPL, which asks for the source of its own files only. A browser runs them in a page under test; nothing is
/// linked with them, and we give none of them away.
const RUN_BY_A_BROWSER: [&str; 1] = ["node_modules/axe-core"];

/// Problems of the packages in a lockfile: each must have an allowed licence, an exact version and a checksum.
fn wrong_packages(lock: &str, allowed: &[&str]) -> Vec<String> {
    let lock: Value = serde_json::from_str(lock).expect("JSON");
    let packages = lock["packages"].as_object().expect("a lockfile of version 2 or 3");
    let installed = packages.iter().filter(|(path, _)| !path.is_empty());
    let judge = |(path, package): (&String, &Value)| {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        let apart = text("license") == "MPL-2.0" && RUN_BY_A_BROWSER.contains(&path.as_str());
        if !apart && !allowed.contains(&text("license")) {
            Some(format!("{path} is under {}", package["license"]))
        } else if text("version").is_empty() || !text("integrity").starts_with("sha512-") {
            Some(format!("{path} is not pinned"))
        } else {
            None
        }
    };
    installed.filter_map(judge).collect()
}

fn deny() -> String {
    fs::read_to_string(root().join("deny.toml")).expect("deny.toml")
}

/// The entries of the list `allow` in a `deny.toml`.
fn allowed_licences(text: &str) -> Vec<&str> {
    let (_, rest) = text.split_once("\nallow = [").expect("a list of licences");
    let (list, _) = rest.split_once(']').expect("its end");
    list.split('"').skip(1).step_by(2).collect()
}

fn is_copyleft(licence: &str) -> bool {
    ["GPL", "SSPL", "BUSL", "EUPL", "OSL", "CPAL", "MPL"].iter().any(|family| licence.contains(family))
}

#[test]
fn no_file_uses_a_go_module_under_the_agpl() {
    let files = files();
    assert!(named(&files, "go.mod").len() > 2, "too few Go modules found");
    // A module comes in through a go.mod, or through a script that runs Go. The list itself is in this file.
    let own = root().join("testkit/tests/licences.rs");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| **file != own) {
        let text = fs::read(file).expect("a readable file");
        let modules = agpl_modules(&String::from_utf8_lossy(&text));
        found.extend(modules.into_iter().map(|module| format!("{}: {module}", file.display())));
    }
    assert!(found.is_empty(), "under the AGPL:\n{}", found.join("\n"));
}

#[test]
fn npm_packages_are_permissive_and_pinned() {
    let files = files();
    let locks = named(&files, "package-lock.json");
    assert!(!locks.is_empty(), "no lockfiles found");
    for package in named(&files, "package.json") {
        let lock = package.with_file_name("package-lock.json");
        assert!(locks.contains(&lock), "{} has no lockfile", package.display());
        let text = fs::read_to_string(&package).expect("readable");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        for kind in ["dependencies", "devDependencies", "optionalDependencies"] {
            for (name, version) in json[kind].as_object().into_iter().flatten() {
                let version = version.as_str().expect("a version");
                let exact = version.chars().all(|c| c.is_ascii_digit() || c == '.');
                assert!(exact, "{}: {name} is not pinned to one version: {version}", package.display());
            }
        }
    }
    let deny = deny();
    let allowed = [allowed_licences(&deny), OF_TEST_TOOLS.to_vec()].concat();
    for lock in locks {
        let wrong = wrong_packages(&fs::read_to_string(&lock).expect("readable"), &allowed);
        assert!(wrong.is_empty(), "{}:\n{}", lock.display(), wrong.join("\n"));
    }
}

#[test]
fn cargo_deny_allows_no_copyleft() {
    let text = deny();
    let allowed = allowed_licences(&text);
    assert!(allowed.contains(&"MIT"), "{allowed:?}");
    let copyleft: Vec<_> = allowed.into_iter().filter(|licence| is_copyleft(licence)).collect();
    assert!(copyleft.is_empty(), "deny.toml allows {copyleft:?}");
    for hole in ["exceptions", "clarify"] {
        assert!(
            !text.contains(&format!("\n{hole}")) && !text.contains(&format!(".{hole}")),
            "deny.toml has {hole}"
        );
    }
}

/// The guards must be able to fail.
#[test]
fn each_guard_finds_what_it_is_for() {
    let go =
        "require github.com/grafana/loki/v3 v3.7.8\n\tgithub.com/grafana/pyroscope-go/godeltaprof v0.1.11\n";
    assert_eq!(agpl_modules(go), ["github.com/grafana/loki"]);
    assert_eq!(agpl_modules("go mod download \"github.com/grafana/tempo@v2\""), ["github.com/grafana/tempo"]);
    assert_eq!(agpl_modules("docker.io/grafana/loki:3.6.3, https://github.com/grafana/loki"), [""; 0]);

    let wrong = |lock: &str| wrong_packages(lock, &["MIT"]);
    let package = |version: &str, licence: &str, sum: &str| {
        format!(
            r#"{{"packages": {{"": {{}}, "node_modules/x": {{"version": "{version}", "license": "{licence}", "integrity": "{sum}"}}}}}}"#
        )
    };
    assert_eq!(wrong(&package("1.0.0", "MIT", "sha512-x")), [""; 0]);
    assert_eq!(wrong(&package("1.0.0", "MIT", "")), ["node_modules/x is not pinned"]);
    let agpl = wrong(&package("1.0.0", "AGPL-3.0-only", "sha512-x"));
    assert_eq!(agpl, ["node_modules/x is under \"AGPL-3.0-only\""]);
    let mpl = package("1.0.0", "MPL-2.0", "sha512-x");
    assert_eq!(wrong(&mpl), ["node_modules/x is under \"MPL-2.0\""]);
    assert_eq!(wrong(&mpl.replace("node_modules/x", RUN_BY_A_BROWSER[0])), [""; 0]);
    let silent = r#"{"packages": {"node_modules/x": {"version": "1.0.0", "integrity": "sha512-x"}}}"#;
    assert_eq!(wrong(silent), ["node_modules/x is under null"]);

    let allowed = allowed_licences("[licenses]\nallow = [\n  \"MIT\",\n  \"AGPL-3.0\",\n]\n");
    assert_eq!(allowed, ["MIT", "AGPL-3.0"]);
    assert!(is_copyleft(allowed[1]) && !is_copyleft(allowed[0]));
}
