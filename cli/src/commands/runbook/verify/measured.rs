//! What is kept of measurements, in `docs/measured/runbooks.json`: by runbook, and by who acted. A run adds to it and replaces
//! only what it has measured itself, so that all runbooks can be measured in pieces.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    bench::SETTLE,
    fault,
    report::{Row, Verdict},
    rows::median,
    way::Way,
};
use crate::commands::kept::{self, Stamp, tenth};

/// Where it is, from the root of the checkout.
pub(super) const FILE: &str = "docs/measured/runbooks.json";

/// What is kept, by runbook.
pub(super) type Measured = BTreeMap<String, Kept>;

/// What is kept of one runbook.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// Which text was measured: see [`text`].
    of: String,
    /// The runbook by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auto: Option<Outcome>,
    /// A person who is guided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) manual: Option<Outcome>,
    /// Nobody acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nobody: Option<Outcome>,
}

/// What came of the measurements of one runbook in one way; times are medians of those that did not fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Whether it keeps its promise; `failed` if it did not once, or left something behind, and `helped` only if it always did.
    pub(super) verdict: Verdict,
    /// Seconds from the fault until the alert fired.
    pub(super) fired: Option<f64>,
    /// Seconds from the fault until the alert had ended.
    pub(super) ended: Option<f64>,
    /// Seconds from the fault within which the alert had to end.
    pub(super) bound: Option<f64>,
    /// How many measurements did not fail.
    pub(super) n: usize,
    /// How many failed.
    pub(super) failed: usize,
    /// Why the last one failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    #[serde(flatten)]
    pub(super) stamp: Stamp,
}

impl Kept {
    /// What is known of a way.
    pub(super) const fn outcome(&self, way: Way) -> Option<&Outcome> {
        match way {
            Way::Auto => self.auto.as_ref(),
            Way::Manual => self.manual.as_ref(),
            Way::Nobody => self.nobody.as_ref(),
            Way::Untried => None,
        }
    }

    /// Whether a way was measured, and did not fail.
    pub(super) fn has(&self, way: Way) -> bool {
        self.outcome(way).is_some_and(|outcome| outcome.verdict != Verdict::Failed)
    }

    fn put(&mut self, way: Way, outcome: Outcome) {
        match way {
            Way::Auto => self.auto = Some(outcome),
            Way::Manual => self.manual = Some(outcome),
            Way::Nobody => self.nobody = Some(outcome),
            Way::Untried => {}
        }
    }
}

impl Outcome {
    /// Of what was measured of one runbook in one way; nothing if nothing was.
    fn of(rows: &[&Row], stamp: &Stamp) -> Option<Self> {
        let last = rows.last()?;
        let fine = || rows.iter().filter(|row| row.is_fine());
        let n = fine().count();
        let bad = rows.iter().rfind(|row| !row.is_fine());
        let weakest = rows.iter().rfind(|row| row.verdict != Verdict::Helped).unwrap_or(last);
        let middle = |times: Vec<f64>| median(times).map(tenth);
        Some(Self {
            verdict: if bad.is_some() { Verdict::Failed } else { weakest.verdict },
            fired: middle(fine().filter_map(|row| row.fired).collect()),
            ended: middle(fine().filter_map(|row| row.ended).collect()),
            bound: fine().next().map(|row| row.cause + SETTLE.as_secs_f64()),
            n,
            failed: rows.len() - n,
            why: bad.map(|row| row.words()),
            stamp: stamp.clone(),
        })
    }
}

/// What tells one text of a runbook from another: its steps, and the section of its page that breaks the lab.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn text(root: &Path, name: &str) -> Result<String> {
    let read = |ending: &str| {
        let path = root.join(format!("runbooks/{name}.{ending}"));
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (steps, page) = (read("yaml")?, read("md")?);
    Ok(kept::digest(&[steps.as_str(), fault::section(&page).unwrap_or_default()]))
}

/// What is kept.
///
/// # Errors
/// When the file cannot be read, or is of another kind.
pub(super) fn read(root: &Path) -> Result<Measured> {
    kept::read(&root.join(FILE))
}

/// Adds what a run has measured so far; `texts` by runbook.
///
/// # Errors
/// As [`read`], and when the file cannot be written.
pub(super) fn keep(root: &Path, texts: &BTreeMap<String, String>, rows: &[Row], stamp: &Stamp) -> Result<()> {
    kept::change(&root.join(FILE), |all| add(all, texts, rows, stamp))
}

fn add(all: &mut Measured, texts: &BTreeMap<String, String>, rows: &[Row], stamp: &Stamp) {
    for (name, text) in texts {
        for way in [Way::Auto, Way::Manual, Way::Nobody] {
            let own: Vec<&Row> = rows.iter().filter(|row| row.runbook == *name && row.way == way).collect();
            let Some(outcome) = Outcome::of(&own, stamp) else { continue };
            let kept = all.entry(name.clone()).or_default();
            if kept.of != *text {
                // Nothing is known of what it was before.
                *kept = Kept { of: text.clone(), ..Kept::default() };
            }
            kept.put(way, outcome);
        }
    }
}

/// What is kept of this text of a runbook.
pub(super) fn current<'m>(all: &'m Measured, name: &str, text: &str) -> Option<&'m Kept> {
    all.get(name).filter(|kept| kept.of == text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(way: Way, ended: f64, verdict: Verdict) -> Row {
        let failed = Row::failed("A", way, String::new());
        Row { fired: Some(9.62), ended: Some(ended), cause: 120.0, verdict, problem: None, ..failed }
    }

    fn texts(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("A".to_owned(), text.to_owned())])
    }

    /// What is kept after these rows.
    pub(crate) fn measured(rows: &[Row]) -> Measured {
        let mut all = Measured::new();
        add(&mut all, &texts("t"), rows, &Stamp::default());
        all
    }

    #[test]
    fn a_run_replaces_what_it_has_measured_and_keeps_the_rest() {
        let mut all =
            measured(&[row(Way::Auto, 30.24, Verdict::Helped), row(Way::Auto, 31.0, Verdict::Helped)]);
        let auto = all["A"].auto.clone().unwrap();
        assert_eq!((auto.n, auto.failed, auto.fired, auto.ended), (2, 0, Some(9.6), Some(30.6)));
        assert_eq!(auto.bound, Some(300.0));
        add(&mut all, &texts("t"), &[row(Way::Nobody, 129.0, Verdict::Nobody)], &Stamp::default());
        assert_eq!(all["A"].auto.as_ref(), Some(&auto), "only what was measured is replaced");
        assert!(all["A"].has(Way::Nobody) && !all["A"].has(Way::Manual));
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Measured>(&json).unwrap(), all, "{json}");
    }

    #[test]
    fn a_new_text_makes_old_measurements_void() {
        let mut all = measured(&[row(Way::Auto, 30.0, Verdict::Helped)]);
        assert!(current(&all, "A", "t").is_some() && current(&all, "A", "u").is_none());
        add(&mut all, &texts("u"), &[], &Stamp::default());
        assert!(all["A"].has(Way::Auto), "until it is measured again, its row says when that was");
        add(&mut all, &texts("u"), &[row(Way::Manual, 40.0, Verdict::Helped)], &Stamp::default());
        assert!(!all["A"].has(Way::Auto) && all["A"].has(Way::Manual));
    }

    #[test]
    fn one_failure_is_not_hidden_by_the_median_of_the_others() {
        let left =
            Row { left: vec!["order-api-2 is new".to_owned()], ..row(Way::Auto, 500.0, Verdict::Helped) };
        let all = measured(&[left, row(Way::Auto, 30.0, Verdict::Helped)]);
        let auto = all["A"].auto.as_ref().unwrap();
        assert_eq!((auto.verdict, auto.n, auto.failed, auto.ended), (Verdict::Failed, 1, 1, Some(30.0)));
        let waited =
            measured(&[row(Way::Auto, 130.0, Verdict::Waited), row(Way::Auto, 30.0, Verdict::Helped)]);
        assert_eq!(waited["A"].auto.as_ref().map(|auto| auto.verdict), Some(Verdict::Waited));
        assert!(
            auto.why.as_deref().is_some_and(|why| why.contains("order-api-2 is new"))
                && !all["A"].has(Way::Auto)
        );
    }
}
