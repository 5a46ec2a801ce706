//! What was measured, as rows.

use serde::{Deserialize, Serialize};

use super::{script::Played, way::Way};
use crate::terminal::out;

/// What a runbook did for its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// An act ended the alert before the fault ended by itself.
    Helped,
    /// The alert ended with its cause; the runbook noticed it.
    Waited,
    /// It has no act that fits: a person was led.
    Led,
    /// It stopped before its first act, because that would not help.
    HeldBack,
    /// Nobody acted.
    Nobody,
    /// It did not do what it promises.
    Failed,
    /// It cannot be tried on this lab.
    Skipped,
}

/// One measurement; times in seconds since the fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) runbook: String,
    pub(super) way: Way,
    /// When the alert fired.
    pub(super) fired: Option<f64>,
    /// When it had ended.
    pub(super) ended: Option<f64>,
    /// When the fault ends if nobody ends it.
    pub(super) cause: f64,
    pub(super) verdict: Verdict,
    /// How the run ended.
    pub(super) ending: Option<String>,
    /// What is not as before.
    pub(super) left: Vec<String>,
    /// Why there is no measurement.
    pub(super) problem: Option<String>,
}

/// What the run was worth. `early`: the alert ended before its cause, and nobody but the runbook ended that.
pub(super) fn judge(played: Option<&Played>, early: bool) -> Verdict {
    let Some(played) = played else { return Verdict::Nobody };
    match played.ending.as_str() {
        "succeeded" if played.acted && early => Verdict::Helped,
        "succeeded" if played.acted => Verdict::Waited,
        "succeeded" if !played.acts => Verdict::Led,
        "stopped" | "recommended" if played.acts && !played.acted => Verdict::HeldBack,
        _ => Verdict::Failed,
    }
}

impl Verdict {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::Waited => "waited",
            Self::Led => "led",
            Self::HeldBack => "held back",
            Self::Nobody => "nobody acted",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

impl Row {
    pub(super) fn failed(name: &str, way: Way, problem: String) -> Self {
        Self {
            runbook: name.to_owned(),
            way,
            fired: None,
            ended: None,
            cause: 0.0,
            verdict: Verdict::Failed,
            ending: None,
            left: Vec::new(),
            problem: Some(problem),
        }
    }

    /// A runbook that cannot be tried on this lab.
    pub(super) fn skipped(name: &str, why: &str) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::failed(name, Way::Untried, why.to_owned()) }
    }

    /// Whether it was measured: that it was skipped proves nothing.
    pub(super) fn is_measured(&self) -> bool {
        self.verdict != Verdict::Skipped
    }

    /// Whether the runbook keeps its promise, as far as it was measured.
    pub(super) fn is_fine(&self) -> bool {
        self.verdict != Verdict::Failed && self.left.is_empty()
    }

    /// What happened, in a line.
    pub(super) fn words(&self) -> String {
        let mut words = vec![self.verdict.words().to_owned()];
        words.extend(self.fired.map(|fired| format!("fired after {}", seconds(fired))));
        words.extend(self.ended.map(|ended| format!("ended after {}", seconds(ended))));
        words.extend(self.ending.clone());
        words.extend(self.left.iter().map(|left| format!("left behind: {left}")));
        words.extend(self.problem.clone());
        words.join("; ")
    }
}

/// Prints a table.
pub(super) fn print(rows: &[Row]) {
    out!("{:34} {:6}  {:>9}  {:>9}  {:12}", "runbook", "way", "fired", "ended", "");
    for row in rows {
        let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), seconds);
        out!(
            "{:34} {:6}  {:>9}  {:>9}  {:12}  {}",
            row.runbook,
            row.way.to_string(),
            time(row.fired),
            time(row.ended),
            row.verdict.words(),
            row.problem.as_deref().or(row.ending.as_deref()).unwrap_or_default()
        );
        for left in &row.left {
            out!("{:34} left behind: {left}", "");
        }
    }
    out!("{}", sum(rows));
}

/// How many are fine, and how many were not measured.
pub(super) fn sum(rows: &[Row]) -> String {
    let measured: Vec<&Row> = rows.iter().filter(|row| row.is_measured()).collect();
    let fine = measured.iter().filter(|row| row.is_fine()).count();
    let skipped = rows.len() - measured.len();
    let skipped = if skipped > 0 { format!("; {skipped} SKIPPED, and so not proven") } else { String::new() };
    format!("{fine} of {} measurements are as they should be{skipped}", measured.len())
}

/// `24 s`, `2 min 9 s`.
pub(super) fn seconds(time: f64) -> String {
    let whole = time.max(0.0).round();
    let (minutes, seconds) = ((whole / 60.0).floor(), whole % 60.0);
    if minutes < 2.0 { format!("{whole:.0} s") } else { format!("{minutes:.0} min {seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, ended: f64, verdict: Verdict) -> Row {
        Row {
            runbook: "A".to_owned(),
            way,
            fired: Some(9.6),
            ended: Some(ended),
            cause: 120.0,
            verdict,
            ending: None,
            left: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn a_runbook_is_judged_by_what_it_did_and_when_the_alert_ended() {
        let played = |ending: &str, acts: bool, acted: bool| Played {
            ending: ending.to_owned(),
            why: String::new(),
            acts,
            acted,
            removed: false,
            quiet: None,
        };
        for (played, early, verdict) in [
            (played("succeeded", true, true), true, Verdict::Helped),
            (played("succeeded", true, true), false, Verdict::Waited),
            (played("succeeded", false, false), true, Verdict::Led),
            (played("stopped", true, false), false, Verdict::HeldBack),
            (played("stopped", false, false), false, Verdict::Failed),
            (played("failed", true, true), true, Verdict::Failed),
            (played("succeeded", true, false), true, Verdict::Failed),
        ] {
            assert_eq!(judge(Some(&played), early), verdict, "{played:?}, {early}");
        }
        assert_eq!(judge(None, false), Verdict::Nobody);
    }

    #[test]
    fn what_is_skipped_is_counted_and_proves_nothing() {
        let rows = [row(Way::Auto, 30.2, Verdict::Helped), Row::skipped("B", "it needs Kubernetes")];
        let said = "1 of 1 measurements are as they should be; 1 SKIPPED, and so not proven";
        assert_eq!(sum(&rows), said);
        assert_eq!(rows[1].words(), "SKIPPED; it needs Kubernetes");
        assert!(rows[1].is_fine() && !rows[1].is_measured());
    }
}
