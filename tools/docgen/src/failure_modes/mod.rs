//! `docs/failure-modes.md`: how the lab fails, from the drills, which are proven by running them; with what protects against
//! each fault and what risk is left, from `docs/failure-modes.yaml`, and with times that were measured, if there are any.

mod section;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context, anyhow, ensure};
use drill::{
    Drill,
    model::{Fault, FaultKind},
    names::Layer,
};
use serde::Deserialize;

/// How an entry names drills in which nothing is broken.
const NOTHING: &str = "none";
/// How an entry names rules of the firewall that drills push.
const RULE: &str = "pushed-rule";
/// How an entry names parts of the lab that are stopped, each with its own name behind it.
const PART: &str = "stopped-";
/// How an entry names scripts, each with its own name behind it.
const SCRIPT: &str = "sql-";

const INTRO: &str = "\
# Failure modes

Generated from the drills by `just generate`; do not edit.

How this system fails: the cause, what is seen of it, how long detection takes, what helps, what
protects, and which risk is left. Each row is a drill, and `lab drill verify NAME` checks what it
says. **This page has the answers.** Take a drill before you read its section.

Times count from the moment at which the fault is set, on the clock of the lab. *Stated* is what the
drill promises and a verification fails on; *measured* is the last verification, where there is one.

";

/// What protects against faults, and what is left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    faults: Vec<String>,
    protection: String,
    residual: String,
}

/// Protections and residual risks, by fault.
pub(crate) struct Shields(Vec<Entry>);

/// Seconds until an alert or a signal, by drill.
type Measured = BTreeMap<String, BTreeMap<String, f64>>;

impl Shields {
    /// Reads `docs/failure-modes.yaml`.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let entries: Vec<Entry> = serde_saphyr::from_str(text).context("docs/failure-modes.yaml")?;
        let mut known = BTreeSet::new();
        for name in entries.iter().flat_map(|entry| &entry.faults) {
            ensure!(known.insert(name.as_str()), "docs/failure-modes.yaml has `{name}` twice");
        }
        Ok(Self(entries))
    }

    /// Names of all faults that it has.
    #[cfg(test)]
    fn names(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|entry| entry.faults.iter().map(String::as_str)).collect()
    }

    /// The entries of a drill, each once.
    fn of(&self, drill: &Drill) -> anyhow::Result<Vec<&Entry>> {
        let faults: Vec<String> = match drill.faults.as_slice() {
            [] => vec![NOTHING.to_owned()],
            faults => faults.iter().map(key).collect(),
        };
        let mut found: Vec<&Entry> = Vec::new();
        for name in faults {
            let entry = self.0.iter().find(|entry| entry.faults.contains(&name));
            let entry =
                entry.with_context(|| format!("docs/failure-modes.yaml has no entry for `{name}`"))?;
            if !found.iter().any(|known| std::ptr::eq(*known, entry)) {
                found.push(entry);
            }
        }
        Ok(found)
    }
}

/// The name of the entry that a fault has.
fn key(fault: &Fault) -> String {
    match fault.kind {
        FaultKind::Point => fault.fault.clone(),
        FaultKind::Rule => RULE.to_owned(),
        FaultKind::Part => format!("{PART}{}", fault.service),
        FaultKind::Script => format!("{SCRIPT}{}", fault.fault),
    }
}

/// The page, from the folder of the drills and the file of their times.
pub(crate) fn page(drills: &Path, times: &Path, shields: &str) -> anyhow::Result<String> {
    let all = read(drills)?;
    let measured = measured(times, &all)?;
    written(&all, &Shields::read(shields)?, &measured)
}

/// All drills of a folder, the easiest first.
fn read(folder: &Path) -> anyhow::Result<Vec<Drill>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = path.display().to_string();
            all.push(drill::read(&name, &text).map_err(|problems| anyhow!("{problems}"))?);
        }
    }
    all.sort_by(|one, other| (one.difficulty, &one.id).cmp(&(other.difficulty, &other.id)));
    Ok(all)
}

/// What `lab drill verify` has measured; nothing if it has not been run.
fn measured(file: &Path, drills: &[Drill]) -> anyhow::Result<Measured> {
    let Ok(text) = fs::read_to_string(file) else { return Ok(Measured::new()) };
    let measured: Measured =
        serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    for name in measured.keys() {
        let known = drills.iter().any(|drill| drill.id == *name);
        ensure!(known, "{}: there is no drill `{name}`", file.display());
    }
    Ok(measured)
}

fn written(drills: &[Drill], shields: &Shields, measured: &Measured) -> anyhow::Result<String> {
    let mut by_layer: BTreeMap<Option<Layer>, Vec<&Drill>> = BTreeMap::new();
    for drill in drills {
        by_layer.entry(drill.tags.layers.first().copied()).or_default().push(drill);
    }
    let mut page = INTRO.to_owned();
    page.push_str("| where | what fails | detected by | stated | measured |\n|---|---|---|---|---|\n");
    for (layer, drills) in &by_layer {
        for drill in drills {
            section::row(&mut page, title(*layer), drill, measured.get(&drill.id));
        }
    }
    for (layer, drills) in &by_layer {
        let _ = write!(page, "\n## {}\n", title(*layer));
        for drill in drills {
            let entries = shields.of(drill).with_context(|| format!("drill {}", drill.id))?;
            section::section(&mut page, drill, &entries, measured.get(&drill.id));
        }
    }
    Ok(page)
}

/// Where it fails, as a heading.
const fn title(layer: Option<Layer>) -> &'static str {
    match layer {
        Some(Layer::Http) => "Requests",
        Some(Layer::Upstream) => "Calls between services",
        Some(Layer::Database) => "Database",
        Some(Layer::Cache) => "Cache",
        Some(Layer::Broker) => "Queue",
        Some(Layer::Runtime) => "Process",
        Some(Layer::Business) => "What the shop means",
        Some(Layer::Observability) => "Telemetry",
        Some(Layer::Traffic) => "Traffic",
        None => "Elsewhere",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn drill(name: &str) -> Drill {
        let path = format!("drills/{name}.yaml");
        drill::read(&path, &file(&path)).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn every_fault_has_a_protection_and_a_residual_risk_and_no_other_has() {
        let text = file("docs/failure-modes.yaml");
        let shields = Shields::read(&text).unwrap();
        let mut known: BTreeSet<&str> =
            crate::faults::known().iter().map(|fault| fault.spec().name).collect();
        // `switchboard::STOPPABLE`.
        known.extend([
            "stopped-alertmanager",
            "stopped-order-worker",
            "stopped-postgres",
            "stopped-user-service",
        ]);
        // `switchboard::SCRIPTS`.
        known.extend([
            "sql-backup-bucket",
            "sql-backup-key",
            "sql-backup-login",
            "sql-data-folder",
            "sql-fulfillment-password",
            "sql-half-failover",
            "sql-orders-login",
            "sql-replica-replay",
            "sql-users-table",
        ]);
        known.extend([NOTHING, RULE]);
        assert_eq!(shields.names(), known);
        for Entry { faults, protection, residual } in &shields.0 {
            for text in [protection, residual] {
                assert!(text.len() > 20 && text.trim_end().ends_with('.'), "{faults:?}: {text}");
            }
        }
    }

    #[test]
    fn a_drill_has_cause_effect_detection_mitigation_protection_and_risk() {
        let shields = Shields::read(&file("docs/failure-modes.yaml")).unwrap();
        let alert = BTreeMap::from([("OrderAvailabilityBudgetBurn".to_owned(), 9.44)]);
        let measured = Measured::from([("first-page".to_owned(), alert)]);
        let page = written(&[drill("first-page")], &shields, &measured).unwrap();
        for text in [
            "\n## Requests\n\n### bad-release: first-page\n",
            "[`http-error`](faults.md#http-error) in order-api (rate=0.3)",
            "`http_requests_total` of order-api within 15 s",
            "| page | [OrderAvailabilityBudgetBurn](../runbooks/OrderAvailabilityBudgetBurn.md) of order-api | 20 s | 9.4 s |",
            "- **Mitigation.** roll back order-api-1-8:",
            "- **Does not help.** restart order-api:",
            "- **Protection.** ",
            "- **Residual risk.** ",
        ] {
            assert!(page.contains(text), "{text}\n---\n{page}");
        }
    }

    #[test]
    fn nothing_wrong_is_a_failure_mode_of_its_own_and_an_unknown_fault_is_found() {
        let text = "- {faults: [none], protection: \"Evidence before acts.\", residual: \"Somebody acts.\"}";
        let shields = Shields::read(text).unwrap();
        let page = written(&[drill("false-alarm")], &shields, &Measured::new()).unwrap();
        assert!(page.contains("- **Cause.** Nothing is broken."), "{page}");
        let error = written(&[drill("first-page")], &shields, &Measured::new()).unwrap_err();
        assert!(format!("{error:#}").contains("no entry for `http-error`"), "{error:#}");
        assert!(Shields::read(&format!("{text}\n{text}")).is_err());
    }
}
