//! What was measured, as rows, and as the table of `docs/automation.md`.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{bench::Way, rows::median, script::Played};
use crate::{
    home::Home,
    terminal::{out, say},
};

/// The page with the table.
const PAGE: &str = "docs/automation.md";
/// Between these lines it is written.
const BEGIN: &str = "<!-- Written by `lab runbook verify --all --markdown`; do not edit. -->\n";
const END: &str = "<!-- End of the measurements. -->\n";

/// What a runbook did for its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// What the run was worth. `early`: the alert ended before its cause.
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

    /// Whether the runbook keeps its promise.
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
    let fine = rows.iter().filter(|row| row.is_fine()).count();
    out!("{fine} of {} are as they should be", rows.len());
}

/// Writes the table of medians into its page.
pub(super) fn write(home: &Home, rows: &[Row]) -> Result<()> {
    let path = home.root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lacks = |line: &str| format!("{PAGE} has no line `{}`", line.trim());
    let (before, rest) = page.split_once(BEGIN).with_context(|| lacks(BEGIN))?;
    let (_, after) = rest.split_once(END).with_context(|| lacks(END))?;
    let text = format!("{before}{BEGIN}\n{}\n{END}{after}", table(rows));
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    say(format_args!("wrote {PAGE}"));
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut text = "| alert | n | fired | ended, nobody acts | ended, with its runbook | the runbook |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut names: Vec<&str> = rows.iter().map(|row| row.runbook.as_str()).collect();
    names.dedup();
    for name in names {
        let of = |way: Way| {
            let of_it = rows.iter().filter(move |row| row.runbook == name && row.way == way);
            of_it.filter(|row| row.verdict != Verdict::Failed)
        };
        let middle = |times: Vec<f64>| median(times).map(seconds);
        let ended = |way: Way| middle(of(way).filter_map(|row| row.ended).collect());
        let (Some(without), Some(with)) = (ended(Way::Nobody), ended(Way::Auto)) else { continue };
        let fired = middle(of(Way::Auto).filter_map(|row| row.fired).collect()).unwrap_or_default();
        let verdict = of(Way::Auto).next_back().map_or("", |row| row.verdict.words());
        let count = of(Way::Auto).count().min(of(Way::Nobody).count());
        let link = format!("[{name}](../runbooks/{name}.md)");
        text.push_str(&format!("| {link} | {count} | {fired} | {without} | {with} | {verdict} |\n"));
    }
    text
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
    fn the_table_compares_medians_and_leaves_out_what_failed() {
        let rows = [
            row(Way::Auto, 30.2, Verdict::Helped),
            row(Way::Auto, 31.0, Verdict::Helped),
            row(Way::Auto, 400.0, Verdict::Failed),
            row(Way::Nobody, 129.0, Verdict::Nobody),
        ];
        let text = table(&rows);
        let line = "| [A](../runbooks/A.md) | 1 | 10 s | 2 min 9 s | 31 s | helped |";
        assert!(text.contains(line), "{text}");
        assert!(!rows[2].is_fine() && rows[0].is_fine());
        let alone = table(&rows[..3]);
        assert!(!alone.contains("runbooks/A.md"), "nothing to compare with: {alone}");
    }
}
