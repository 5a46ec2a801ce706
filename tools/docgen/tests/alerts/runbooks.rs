//! Runbooks: all have the same headings, the queries can be pasted, and "Try it in the lab" breaks something that
//! can be broken.

use std::collections::BTreeSet;

use chassis_faults::{Catalogue, Faults};

use crate::{files, names::Names, nothing_is, read, root, rules};

const HEADINGS: [&str; 6] = ["Meaning", "Impact", "Investigate", "Mitigate", "Verify", "Try it in the lab"];

/// No fault causes these; their runbooks say what to do instead.
const WITHOUT_FAULT: &[&str] = &[
    "BackupJobOverdue",
    "BackupUnverified",
    "ExporterDown",
    "FirewallVerdictsWrong",
    "NoTraffic",
    "NodeNotReady",
    "OutcomesContradict",
    "PostgresConnectionsHigh",
    "PostgresReplicaLag",
    "PostgresReplicaLost",
    "PostgresVacuumBehind",
    "ProbeFailures",
    "RedpandaDiskLow",
    "RedpandaUnderReplicated",
    "RuleEvaluationFailing",
    "VolumeFilling",
    "WafRollout",
    "WalArchiveLag",
    "Watchdog",
];

/// Service, its fault points, and its admin port.
const SERVICES: &[(&str, Catalogue, &str)] = &[
    ("edge", edge::faults::CATALOGUE, "9100"),
    ("notifier", notifier::faults::CATALOGUE, "9112"),
    ("order-api", order_api::faults::CATALOGUE, "9101"),
    ("user-service", user_service::faults::CATALOGUE, "9102"),
    ("order-worker", order_worker::faults::CATALOGUE, "9103"),
];

pub(crate) struct Runbook {
    name: String,
    text: String,
}

impl Runbook {
    fn all() -> Vec<Self> {
        let paths = files(&root().join("runbooks"), ".md");
        let name = |path: &std::path::Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
        let all: Vec<Self> = paths.iter().map(|path| Self { name: name(path), text: read(path) }).collect();
        all.into_iter().filter(|page| page.name != "README").collect()
    }

    fn section(&self, heading: &str) -> &str {
        let start =
            self.text.split_once(&format!("\n## {heading}\n")).map(|(_, rest)| rest).unwrap_or_default();
        start.split("\n## ").next().unwrap_or_default()
    }

    /// Lines of the fenced blocks of `language` within `text`.
    pub(crate) fn fenced<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
        let mut inside = false;
        let mut lines = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("```") {
                Some(word) => inside = !inside && word == language,
                None if inside && !line.trim().is_empty() => lines.push(line),
                None => {}
            }
        }
        lines
    }
}

#[test]
fn every_runbook_belongs_to_an_alert_and_has_the_same_headings() {
    let alerts = rules::alerts();
    let mut wrong = Vec::new();
    for page in Runbook::all() {
        let headings: Vec<&str> = page.text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if headings != HEADINGS {
            wrong.push(format!("{}: headings are {headings:?}, not {HEADINGS:?}", page.name));
        }
        if !page.text.starts_with(&format!("# {}\n", page.name)) {
            wrong.push(format!("{}: the title is not its name", page.name));
        }
        if !alerts.contains(&page.name) {
            wrong.push(format!("{}: no alert has this name", page.name));
        }
        let empty = |heading: &&&str| page.section(heading).trim().is_empty();
        wrong.extend(
            HEADINGS.iter().filter(empty).map(|heading| format!("{}: {heading} is empty", page.name)),
        );
        for (heading, language) in [("Investigate", "promql"), ("Investigate", "sh"), ("Verify", "promql")] {
            if Runbook::fenced(page.section(heading), language).is_empty() {
                wrong.push(format!("{}: {heading} has no {language} to paste", page.name));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_query_of_a_runbook_parses_and_uses_existing_metrics() {
    let names = Names::known();
    let mut wrong = Vec::new();
    for page in Runbook::all() {
        let queries = Runbook::fenced(&page.text, "promql");
        let failed = queries.into_iter().filter_map(|query| names.check(query).err());
        wrong.extend(failed.map(|error| format!("{}: {error}", page.name)));
        // In running text, a word that looks like a metric must be one.
        let units = ["_total", "_seconds", "_bytes", "_percent", "_fds"];
        let spelt = page.text.split('`').skip(1).step_by(2).filter(|word| {
            word.chars().all(|c| c.is_ascii_lowercase() || "_:".contains(c))
                && units.iter().any(|unit| word.ends_with(unit))
        });
        let unknown: BTreeSet<&str> = spelt.filter(|word| !names.has(word)).collect();
        wrong.extend(unknown.iter().map(|word| format!("{}: no metric is called `{word}`", page.name)));
    }
    nothing_is(&wrong);
}

#[test]
fn every_try_it_breaks_something_that_can_be_broken() {
    let mut wrong = Vec::new();
    for page in Runbook::all() {
        let lines = Runbook::fenced(page.section("Try it in the lab"), "sh");
        let plans: Vec<_> = lines.iter().filter_map(|line| plan(line)).collect();
        if plans.is_empty() && !WITHOUT_FAULT.contains(&page.name.as_str()) {
            wrong.push(format!("{}: no `lab break SERVICE FAULT` to try", page.name));
        }
        let failed = plans.iter().filter_map(|plan| set(plan).err());
        wrong.extend(failed.map(|error| format!("{}: {error}", page.name)));
    }
    nothing_is(&wrong);
}

#[test]
fn a_try_it_that_cannot_work_is_found() {
    for (line, said) in [
        ("lab break order-ap http-error", "no service"),
        ("lab break order-api http-eror rate=1", "http-error"),
        ("lab break order-api http-error rte=1", "rate"),
        ("lab break order-api http-error rate=2 ttl=5m   # too much", "rate"),
        ("curl -X PUT 'localhost:9102/faults/wrong-total?rate=0.1'", "cache-down"),
    ] {
        let error = set(&plan(line).expect("a plan")).expect_err(line);
        assert!(error.contains(said), "{line}: {error}");
    }
    assert!(plan("lab fix").is_none());
}

/// The service, fault and query that a line switches on.
pub(crate) fn plan(line: &str) -> Option<(String, String, String)> {
    if let Some(rest) = line.trim().strip_prefix("lab break ") {
        let mut words = rest.split('#').next()?.split_whitespace().map(str::to_owned);
        return Some((words.next()?, words.next()?, words.collect::<Vec<_>>().join("&")));
    }
    let url = line.trim().strip_prefix("curl -X PUT ")?.split_whitespace().next()?.trim_matches('\'');
    let (port, fault) = url.strip_prefix("localhost:")?.split_once("/faults/")?;
    let (fault, query) = fault.split_once('?').unwrap_or((fault, ""));
    let (service, ..) = SERVICES.iter().find(|(.., admin)| *admin == port)?;
    Some(((*service).to_owned(), fault.to_owned(), query.to_owned()))
}

/// Validates the plan as the service would, with the same parser.
pub(crate) fn set((service, fault, query): &(String, String, String)) -> Result<(), String> {
    let known = SERVICES.iter().find(|(name, ..)| name == service);
    let (_, catalogue, _) = known.ok_or_else(|| format!("no service is called {service}"))?;
    let faults = Faults::new(catalogue, order_api::faults::SUBJECT, false);
    faults.set(fault, query).map_err(|error| error.to_string())
}
