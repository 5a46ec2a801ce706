//! From objectives to files: rules and promtool tests for each clock, and the page of the documentation.
//!
//! What is generated is committed; [`files`] and [`parts()`] are compared with the committed text, so neither can drift.

mod alerts;
mod budgets;
mod page;
mod parts;
mod recordings;
mod scenarios;
mod tests;

use crate::{Clock, Pair, Slo, Window};

pub use parts::Part;

/// Share of the budget that must be back before a spent one is no longer reported.
pub const BUDGET_BACK: f64 = budgets::BACK;

/// Where runbooks are.
pub(crate) const RUNBOOKS: &str = "http://localhost:8080/runbooks";
/// The dashboard of budgets.
pub(crate) const DASHBOARD: &str = "http://localhost:8080/d/slo?var-slo=";

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
        files.extend(rule_files(slos, clock));
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

/// The rule files of a clock: what pages, and what looks at days and at the whole period. Two files, so that a test of pages does
/// not evaluate the rest, which is most of the work.
#[must_use]
pub fn rule_files(slos: &[Slo], clock: Clock) -> [File; 2] {
    Half::ALL.map(|half| {
        let groups: String = slos.iter().map(|slo| half.group(slo, clock).yaml()).collect();
        File { path: format!("dashboards/rules/{clock}/{}", half.file()), text: head(clock) + &groups }
    })
}

/// All rules of a clock in one file.
#[must_use]
pub fn rules(slos: &[Slo], clock: Clock) -> String {
    let groups = slos.iter().flat_map(|slo| Half::ALL.map(|half| half.group(slo, clock).yaml()));
    head(clock) + &groups.collect::<String>()
}

fn head(clock: Clock) -> String {
    format!(
        "# Written by `lab slo generate` from dashboards/slos; do not edit. Clock: {clock}{}.\n\
         # What each series means, and what it is without traffic: docs/slos.md.\ngroups:\n",
        match clock.divisor() {
            1 => String::new(),
            k => format!(", {k} times as fast as production"),
        }
    )
}

/// The two groups of an objective, in the order in which they are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumCount, strum::VariantArray)]
enum Half {
    /// Pages, first and often.
    Pages,
    /// Rules that change slowly and read many samples, less often.
    Budgets,
}

impl Half {
    const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Its file, in the folder of a clock.
    const fn file(self) -> &'static str {
        match self {
            Self::Pages => "slo.yml",
            Self::Budgets => "slo-budgets.yml",
        }
    }

    /// The name of an objective's group.
    fn group_name(self, slo: &Slo) -> String {
        match self {
            Self::Pages => format!("slo-{}", slo.name),
            Self::Budgets => format!("slo-{}-slow", slo.name),
        }
    }

    fn group(self, slo: &Slo, clock: Clock) -> Group {
        let (interval, rules) = match self {
            Self::Pages => {
                let rules = recordings::fast(slo, clock).into_iter().chain(alerts::pages(slo, clock));
                (clock.evaluation(), rules.collect())
            }
            Self::Budgets => {
                let rules = recordings::slow(slo, clock).into_iter().chain(alerts::tickets(slo, clock));
                (clock.slow_evaluation(), rules.chain(budgets::alerts(slo, clock)).collect())
            }
        };
        Group { name: self.group_name(slo), interval, rules }
    }
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

/// Labels, without the name, and summary and description of an alert of these windows; the texts are templates of Prometheus.
pub(crate) fn burning(
    slo: &Slo,
    clock: Clock,
    pair: &Pair,
) -> (Vec<(&'static str, String)>, (String, String)) {
    (alerts::labels(slo, pair), alerts::words(slo, clock, pair))
}

/// `name{slo="…"}`: a recorded series of one objective.
pub(crate) fn recorded(name: &str, slo: &Slo) -> String {
    format!("{name}{{slo=\"{}\"}}", slo.name)
}

/// The recorded error ratio over a window.
fn ratio(window: Window) -> String {
    format!("slo:sli_error:ratio_rate{window}")
}

/// The recorded bad events per second over a window.
pub(crate) fn bad(window: Window) -> String {
    format!("slo:sli_bad:rate{window}")
}

/// The recorded events per second over a window.
pub(crate) fn total(window: Window) -> String {
    format!("slo:sli_total:rate{window}")
}
