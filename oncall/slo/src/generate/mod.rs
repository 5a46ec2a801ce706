//! From objectives to files: rules and promtool tests for each clock, and the page of the documentation.
//!
//! What is generated is committed; [`files`] and [`parts()`] are compared with the committed text, so neither can drift.

mod alerts;
mod page;
mod parts;
mod recordings;
mod scenarios;
mod tests;

use crate::{Clock, Slo, Window};

pub use parts::Part;

/// Where runbooks are.
const RUNBOOKS: &str = "https://github.com/sre-lab/sre-lab/blob/main/runbooks";
/// The dashboard of budgets.
const DASHBOARD: &str = "http://localhost:3000/d/slo?var-slo=";

/// A file that is generated from the specs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the root of the checkout.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// Every generated file.
#[must_use]
pub fn files(slos: &[Slo]) -> Vec<File> {
    let mut files = Vec::new();
    for clock in Clock::ALL {
        files.push(File { path: format!("dashboards/rules/{clock}/slo.yml"), text: rules(slos, clock) });
        files.extend(tests::files(slos, clock));
    }
    files.push(File { path: "docs/slos.md".to_owned(), text: page::page(slos) });
    files
}

/// The burn windows in files that people write, which [`files`] leaves alone.
#[must_use]
pub fn parts(slos: &[Slo]) -> Vec<Part> {
    parts::all(slos)
}

/// Whether tests can be made for an objective: series that are counted, and of them some that are bad.
///
/// # Errors
/// Why not.
pub fn testable(slo: &Slo) -> Result<(), String> {
    scenarios::Course::possible(slo)
}

/// A test of the tickets with full windows, which takes promtool minutes for several objectives and seconds for
/// one. Not committed: the committed test has a shorter history, and its times are those of windows that are not
/// full.
#[must_use]
pub fn full_ticket_test(slos: &[Slo], clock: Clock) -> File {
    tests::full_tickets(slos, clock)
}

/// The rule file of a clock.
#[must_use]
pub fn rules(slos: &[Slo], clock: Clock) -> String {
    let mut text = format!(
        "# Written by `lab slo generate` from dashboards/slos; do not edit. Clock: {clock}{}.\n\
         # What each series means, and what it is without traffic: docs/slos.md.\ngroups:\n",
        match clock.divisor() {
            1 => String::new(),
            k => format!(", {k} times as fast as production"),
        }
    );
    for slo in slos {
        for group in groups(slo, clock) {
            text.push_str(&group.yaml());
        }
    }
    text
}

/// Rules that are evaluated together, in order.
struct Group {
    name: String,
    interval: Window,
    rules: Vec<Rule>,
}

/// One rule.
struct Rule {
    /// `record` or `alert`.
    kind: &'static str,
    name: String,
    expr: String,
    labels: Vec<(&'static str, String)>,
    annotations: Vec<(&'static str, String)>,
    comment: Option<String>,
}

/// The groups of an objective. Pages first and often; rules that change slowly and read many samples less often.
fn groups(slo: &Slo, clock: Clock) -> [Group; 2] {
    let fast = recordings::fast(slo, clock).into_iter().chain(alerts::pages(slo, clock)).collect();
    let slow = recordings::slow(slo, clock).into_iter().chain(alerts::tickets(slo, clock)).collect();
    let name = &slo.name;
    [
        Group { name: format!("slo-{name}"), interval: clock.evaluation(), rules: fast },
        Group { name: format!("slo-{name}-slow"), interval: clock.slow_evaluation(), rules: slow },
    ]
}

/// Names of the groups, in the order in which a test must evaluate them.
fn group_names(slos: &[Slo]) -> Vec<String> {
    slos.iter().flat_map(|slo| [format!("slo-{}", slo.name), format!("slo-{}-slow", slo.name)]).collect()
}

impl Group {
    fn yaml(&self) -> String {
        let mut text = format!("  - name: {}\n    interval: {}\n    rules:\n", self.name, self.interval);
        for rule in &self.rules {
            text.push_str(&rule.yaml());
        }
        text
    }
}

impl Rule {
    fn yaml(&self) -> String {
        let mut text = String::new();
        for line in self.comment.iter().flat_map(|comment| comment.lines()) {
            text.push_str(&format!("      # {line}\n"));
        }
        text.push_str(&format!("      - {}: {}\n        expr: |\n", self.kind, self.name));
        for line in self.expr.lines() {
            text.push_str(&format!("          {line}\n"));
        }
        let labels = self.labels.iter().map(|(name, value)| format!("{name}: {}", scalar(value)));
        text.push_str(&format!("        labels: {{ {} }}\n", labels.collect::<Vec<_>>().join(", ")));
        if !self.annotations.is_empty() {
            text.push_str("        annotations:\n");
        }
        for (name, value) in &self.annotations {
            text.push_str(&format!("          {name}: {}\n", scalar(value)));
        }
        text
    }
}

/// A YAML scalar: plain if that is safe, otherwise quoted as JSON, which YAML accepts.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:?=".contains(c);
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if safe { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// `name{slo="…"}`: a recorded series of one objective.
fn recorded(name: &str, slo: &Slo) -> String {
    format!("{name}{{slo=\"{}\"}}", slo.name)
}

/// The recorded error ratio over a window.
fn ratio(window: Window) -> String {
    format!("slo:sli_error:ratio_rate{window}")
}

/// The recorded bad events per second over a window.
fn bad(window: Window) -> String {
    format!("slo:sli_bad:rate{window}")
}

/// The recorded events per second over a window.
fn total(window: Window) -> String {
    format!("slo:sli_total:rate{window}")
}
