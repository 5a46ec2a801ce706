//! The checkout's specs and golden scrapes, and promtool.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use slo::{Catalogue, Slo};

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the checkout")
}

/// The metrics in the services' golden scrapes.
pub(crate) fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for service in ["order-api", "order-worker", "user-service"] {
        let path = root().join("services").join(service).join("tests/api/snapshots/metrics.txt");
        catalogue.add(service, &fs::read_to_string(path).expect("a golden scrape")).expect("well formed");
    }
    catalogue
}

/// Names and texts of the committed specs.
pub(crate) fn specs() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("dashboards/slos")).expect("dashboards/slos").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("readable"))
    };
    paths.into_iter().map(read).collect()
}

/// The committed objectives.
pub(crate) fn slos() -> Vec<Slo> {
    let specs = specs();
    slo::spec::read_all(specs.iter().map(|(name, text)| (name.as_str(), text.as_str()))).expect("sound specs")
}

/// One of them.
pub(crate) fn slo(name: &str) -> Slo {
    slos().into_iter().find(|slo| slo.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Runs promtool in a folder; `None` on a laptop without it, a failure in CI.
pub(crate) fn promtool(folder: &Path, args: &[&str]) -> Option<String> {
    // It lives for seconds: collecting its garbage costs more than the memory.
    match Command::new("promtool").args(args).current_dir(folder).env("GOGC", "400").output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(output.status.success(), "promtool {}:\n{said}", args.join(" "));
            Some(said)
        }
        Err(error) => {
            assert!(!variable("CI"), "promtool: {error}");
            eprintln!("SKIPPED: promtool is missing ({error}); it comes with Prometheus");
            None
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no command line")]
pub(crate) fn variable(name: &str) -> bool {
    std::env::var_os(name).is_some()
}
