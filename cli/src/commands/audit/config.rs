//! `lab audit config`: what runs, and what the chart renders, against `deploy/baseline.yaml`. With --context, what the API
//! server of a cluster has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use baseline::{
    Baseline, Facts, Report, audit,
    facts::{listed, manifests, packages},
};
use chrono::Utc;
use clap::Args;
use serde_json::Value;

use super::{history, machine};
use crate::{
    home::Home,
    installation::Installation,
    terminal::{block, json as print_json, out, say},
};

/// What is judged if nothing is named: the chart with its defaults.
const MANIFESTS: &str = "deploy/helm/examples/default.yaml";

/// What the API server is asked for: what the checks judge. No data, so no role needs to read secrets for it.
const KINDS: &str =
    "deployments,statefulsets,daemonsets,jobs,cronjobs,services,networkpolicies,ingresses,roles,rolebindings";

/// Checks addresses, switches, files and versions of the lab, and the rendered chart; with --context, the objects of the
/// lab's namespace in that cluster, and nothing of this machine.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The baseline; by default deploy/baseline.yaml of the checkout.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Kubernetes objects to check, as `helm template` or `kubectl get -o yaml` prints them; may be repeated. By default the
    /// chart as it is rendered with its defaults.
    #[arg(long, value_name = "FILE")]
    manifests: Vec<PathBuf>,
    /// Folder of lists of Kubernetes objects, as an API server answers with them, in files NAME.json. Then nothing of this
    /// machine is checked, and with --baseline there need not be a checkout.
    #[arg(long, value_name = "FOLDER", conflicts_with = "manifests")]
    objects: Option<PathBuf>,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
    /// Append the score to the lab's folder, in audit/config.jsonl.
    #[arg(long)]
    record: bool,
    /// Check nothing, but show what was recorded: each score, and which findings came and went.
    #[arg(long, conflicts_with_all = ["baseline", "manifests", "objects", "record"])]
    history: bool,
}

impl Config {
    /// Runs the command; fails if a finding counts.
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        if self.history {
            return self.recorded(&place.home()?);
        }
        let path = match &self.baseline {
            Some(path) => path.clone(),
            None => place.home()?.root.join("deploy/baseline.yaml"),
        };
        let baseline = Baseline::parse(&path.display().to_string(), &read(&path)?)?;
        let facts = match &self.objects {
            Some(_) if place.in_cluster() => {
                bail!("--objects names files, --context a cluster: leave out one of them")
            }
            Some(folder) => objects(folder)?,
            None if place.in_cluster() => self.cluster(place).await?,
            None => self.facts(&place.home()?).await?,
        };
        let report = audit(&facts, &baseline, Utc::now().date_naive());
        if self.json {
            print_json(&report)?;
        } else {
            print(&report);
        }
        if self.record {
            history::record(&place.home()?, &report, self.of(place)?)?;
        }
        Ok(if report.open().next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn recorded(&self, home: &Home) -> Result<ExitCode> {
        let entries = history::entries(home)?;
        if self.json {
            print_json(&entries)?;
        } else if entries.is_empty() {
            say("lab: no audit was recorded: lab audit config --record");
        } else {
            block(&history::told(&entries));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is judged, for the record; `None` for this machine.
    fn of(&self, place: &Installation) -> Result<Option<String>> {
        if let Some(folder) = &self.objects {
            return Ok(Some(folder.display().to_string()));
        }
        if !place.in_cluster() {
            return Ok(None);
        }
        let cluster = place.needed_cluster()?;
        let context = cluster.context.as_deref().unwrap_or("k8s");
        Ok(Some(format!("cluster {context}/{}", cluster.namespace)))
    }

    /// The objects of a cluster. The programs there were not built from the `Cargo.lock` of this checkout.
    async fn cluster(&self, place: &Installation) -> Result<Facts> {
        if !self.manifests.is_empty() {
            bail!("--manifests names files, --context a cluster: leave out one of them");
        }
        let cluster = place.needed_cluster()?;
        let said = cluster.tell(&["get", KINDS, "--output", "json"]).await?;
        let mut list: Value = serde_json::from_str(&said).context("kubectl's list of objects")?;
        let objects: Vec<Value> =
            serde_json::from_value(list.get_mut("items").map(Value::take).unwrap_or_default())
                .context("kubectl's list of objects")?;
        if objects.is_empty() {
            bail!("the namespace {} has no objects that could be judged", cluster.namespace);
        }
        Ok(Facts { manifests: Some(objects), ..Facts::default() })
    }

    async fn facts(&self, home: &Home) -> Result<Facts> {
        let default = [home.root.join(MANIFESTS)];
        let files = if self.manifests.is_empty() { default.as_slice() } else { self.manifests.as_slice() };
        let mut objects = Vec::new();
        for file in files {
            let found = manifests(&read(file)?).map_err(anyhow::Error::msg);
            objects.extend(found.with_context(|| format!("{} is not YAML", file.display()))?);
        }
        let lab = machine::look(home).await?;
        if lab.is_none() && !self.json {
            say(format_args!("lab: no lab runs here: addresses, switches and files are not looked at"));
        }
        let packages = Some(packages(&read(&home.root.join("Cargo.lock"))?));
        Ok(Facts { packages, manifests: Some(objects), ..lab.unwrap_or_default() })
    }
}

/// The objects of the lists in a folder.
fn objects(folder: &Path) -> Result<Facts> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let list = listed(&read(&path)?).map_err(anyhow::Error::msg);
            found.extend(list.with_context(|| path.display().to_string())?);
        }
    }
    // Nothing has no mistakes, and proves nothing.
    if found.is_empty() {
        bail!("{} has no objects that could be judged", folder.display());
    }
    Ok(Facts { manifests: Some(found), ..Facts::default() })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn print(report: &Report) {
    for outcome in &report.checks {
        let state = match outcome.subjects {
            None => "not looked at".to_owned(),
            Some(0) => "nothing there".to_owned(),
            Some(_) if !outcome.holds() => "FINDINGS".to_owned(),
            Some(subjects) => format!("holds for {subjects}"),
        };
        out!("{:<9} {:<16} {}", outcome.id, state, outcome.title);
        for finding in &outcome.findings {
            let waived = match (finding.waived_until, finding.open) {
                (Some(until), true) => format!(" (its waiver ended on {until})"),
                (Some(until), false) => format!(" (waived until {until})"),
                (None, _) => String::new(),
            };
            out!("          {}: {}{waived}", finding.subject, finding.found);
        }
        if outcome.findings.iter().any(|finding| finding.open) {
            out!("          {} ({})", outcome.fix, outcome.source);
        }
    }
    for waiver in &report.unused {
        out!("the waiver {waiver} is not needed any more: remove it");
    }
    out!("{} findings, {} waived; score {}", report.open().count(), report.waived(), report.score);
}
