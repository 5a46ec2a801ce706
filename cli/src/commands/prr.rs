//! `lab prr`: the checklist of a production readiness review, filled from facts.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use baseline::{
    facts::manifests,
    readiness::{Tree, checklist},
};
use clap::Args;

use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// What is reviewed if nothing is named.
const SERVICES: &[&str] = &["edge", "order-api", "user-service", "order-worker"];
/// The chart as it is rendered for production.
const MANIFESTS: &str = "deploy/helm/examples/ha.yaml";
/// Where evidence is looked for.
const FOLDERS: &[&str] = &["dashboards/slos", "dashboards/grafana", "drills", "runbooks"];
/// As are these files.
const FILES: &[&str] = &["docs/configuration.md", "docs/failure-modes.md"];

/// Review whether services are ready for production. Exits with 1 if an item does not hold.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lab prr\n  lab prr order-api > review.md\n  lab prr --json")]
pub(crate) struct Review {
    /// Services; all by default.
    services: Vec<String>,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Review {
    /// Runs the command; fails if an item does not hold.
    pub(crate) fn run(self, place: &Installation) -> Result<ExitCode> {
        let root = place.home()?.root;
        let services = if self.services.is_empty() {
            SERVICES.iter().map(|&service| service.to_owned()).collect()
        } else {
            self.services
        };
        let tree = tree(&root, &services)?;
        let lists: BTreeMap<_, _> =
            services.iter().map(|service| (service.as_str(), checklist(service, &tree))).collect();
        let whole = lists.values().flatten().all(baseline::readiness::Item::is_done);
        if self.json {
            json(&lists)?;
        } else {
            for (service, items) in &lists {
                let done = items.iter().filter(|item| item.is_done()).count();
                out!("## {service}: {done} of {}", items.len());
                out!("");
                for item in items {
                    let mark = if item.is_done() { "x" } else { " " };
                    out!("- [{mark}] {}{}", item.title, shown(&item.evidence));
                }
                out!("");
            }
        }
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The first of the evidence, and how much more there is.
fn shown(evidence: &[String]) -> String {
    match evidence {
        [] => String::new(),
        [only] => format!(" ({only})"),
        [first, more @ ..] => format!(" ({first} and {} more)", more.len()),
    }
}

fn tree(root: &Path, services: &[String]) -> Result<Tree> {
    let read = |name: &str| {
        let path = root.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            files.insert(name.clone(), read(&name)?);
        }
    }
    for name in FILES {
        files.insert((*name).to_owned(), read(name)?);
    }
    for service in services {
        let name = format!("services/{service}/tests/api/snapshots/metrics.txt");
        // A service without one has no such contract.
        if let Ok(text) = fs::read_to_string(root.join(&name)) {
            files.insert(name, text);
        }
    }
    let manifests = manifests(&read(MANIFESTS)?).map_err(anyhow::Error::msg).context(MANIFESTS)?;
    Ok(Tree { files, manifests })
}
