//! Reading: the list, one drill, where a run is, its report.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Deserialize as _;

use super::{
    card,
    client::Desk,
    text::{WIDTH, clock, wrap},
    view::{Brief, Listed, Run},
};
use crate::terminal::{block, json, out};

/// Formats of a report.
const FORMATS: [&str; 4] = ["markdown", "html", "junit", "json"];

/// Which drills.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this difficulty: first-day, easy, medium, hard or brutal.
    #[arg(long, value_name = "DIFFICULTY")]
    difficulty: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One drill.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The drill, such as first-page.
    drill: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The current run.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print JSON; `null` if no drill runs.
    #[arg(long)]
    json: bool,
}

/// The report of a run.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The run, by its number; the newest one if it is left out.
    run: Option<i64>,
    /// markdown, html, junit or json. The first two are a page that you may show to others.
    #[arg(long, value_name = "FORMAT", default_value = "markdown", value_parser = FORMATS)]
    format: String,
    /// Write it to this file instead of the terminal.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Print the run as JSON: the same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl List {
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let (raw, mut listed) = desk.drills().await?;
        if self.json {
            return json(&raw);
        }
        if let Some(difficulty) = &self.difficulty {
            listed.retain(|one| one.brief.difficulty == *difficulty);
        }
        if listed.is_empty() {
            bail!("no such drills; difficulties are first-day, easy, medium, hard and brutal");
        }
        let columns = ["DRILL", "DIFFICULTY", "TIME BOX", "RUNS", "BEST", "LAST"];
        let [drill, difficulty, time, runs, best, last] = columns;
        out!("{drill:24} {difficulty:10} {time:>8}  {runs:>4}  {best:>4}  {last:9}  TITLE");
        listed.iter().for_each(|one| out!("{}", row(one)));
        if let Some(next) = listed.iter().find(|one| one.suggested) {
            out!("");
            out!("next: lab drill start {} --follow", next.brief.id);
        }
        Ok(())
    }
}

/// `first-page               first-day    10 min     2    87  passed     Your first page`
fn row(one: &Listed) -> String {
    let brief = &one.brief;
    let best = one.best.map_or_else(|| "-".to_owned(), |best| format!("{best:.0}"));
    let minutes = format!("{} min", brief.time_box_seconds / 60);
    let last = one.last_verdict.as_deref().unwrap_or("-");
    format!(
        "{:24} {:10} {minutes:>8}  {:>4}  {best:>4}  {last:9}  {}",
        brief.id, brief.difficulty, one.runs, brief.title
    )
}

impl Show {
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let raw = desk.drill(&self.drill).await?;
        if self.json {
            return json(&raw);
        }
        let own = if raw["brief"].is_object() { &raw["brief"] } else { &raw };
        briefing(&Brief::deserialize(own).context("the control room did not answer with a drill")?);
        let runs = desk.runs(Some(&self.drill), 5).await?;
        if !runs.is_empty() {
            out!("");
            out!("  {:>5}  {:16}  {:10}  {:>5}  TOOK", "RUN", "RESPONDER", "VERDICT", "SCORE");
        }
        for run in runs {
            let score =
                run.score.as_ref().map_or_else(|| "-".to_owned(), |score| format!("{:.0}", score.total));
            out!(
                "  {:>5}  {:16}  {:10}  {score:>5}  {}",
                run.id,
                run.verify.as_ref().unwrap_or(&run.responder),
                run.verdict(),
                clock(run.seconds())
            );
        }
        Ok(())
    }
}

/// Prints what the person on call is told, and what will be asked.
pub(super) fn briefing(brief: &Brief) {
    out!("{}  ({}, {} min)", brief.title, brief.difficulty, brief.time_box_seconds / 60);
    out!("");
    wrap(&brief.briefing, WIDTH).iter().for_each(|line| out!("  {line}"));
    out!("");
    if !brief.prerequisites.is_empty() {
        out!("  before     {}", brief.prerequisites.join(", "));
    }
    let mut asked = vec!["which components are the cause".to_owned()];
    if !brief.mechanisms.is_empty() {
        asked.push(format!("what fails ({})", brief.mechanisms.join(", ")));
    }
    if brief.asks_change {
        asked.push("which change is the cause, or none".to_owned());
    }
    if brief.asks_onset {
        asked.push("since when".to_owned());
    }
    if brief.evidence > 0 {
        asked.push(format!("{} to prove it", of(u64::from(brief.evidence), "query", "queries")));
    }
    let asked = wrap(&asked.join("; "), WIDTH - 11);
    for (number, line) in asked.iter().enumerate() {
        out!("  {:10} {line}", if number == 0 { "asked" } else { "" });
    }
    if !brief.hints.is_empty() {
        let costs: Vec<String> = brief.hints.iter().map(ToString::to_string).collect();
        out!("  hints      {}: {} points", brief.hints.len(), costs.join(", "));
    }
}

fn of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl Status {
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let run = desk.current().await?;
        if self.json {
            return json(&run.map(|run| run.raw));
        }
        match run {
            None => {
                out!("no drill runs: `lab drill start` begins one, `lab drill report` shows the last one")
            }
            Some(run) => print(&run),
        }
        Ok(())
    }
}

/// Prints where a run is.
pub(super) fn print(run: &Run) {
    out!("{}  run {}, {}", card::title(run), run.id, clock(run.seconds()));
    out!("  phase      {}", run.phase);
    let who =
        run.verify.as_ref().map_or_else(|| run.responder.clone(), |tries| format!("verification: {tries}"));
    out!("  responder  {who}");
    if let Some(ends) = run.time_box_ends {
        out!("  time left  {}", clock((ends - chrono::Utc::now()).as_seconds_f64()));
    }
    if let Some(burned) = run.burned {
        out!("  burned     {:.1} % of an error budget", burned * 100.0);
    }
    run.waiting_for.iter().for_each(|condition| out!("  waits for  {condition}"));
    for (number, hint) in run.hints.iter().enumerate() {
        wrap(&format!("hint {}: {hint}", number + 1), WIDTH).iter().for_each(|line| out!("  {line}"));
    }
    if run.hints_left > 0 {
        out!("  hints left {}", run.hints_left);
    }
    run.acts.iter().for_each(|act| out!("  did        {act}"));
    if let Some(truth) = &run.truth {
        card::print_truth(truth);
    }
}

impl Report {
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let id = match self.run {
            Some(id) => id,
            None => desk.runs(None, 1).await?.first().context("no drill was run yet: `lab drill start`")?.id,
        };
        let format = if self.json { "json" } else { self.format.as_str() };
        let text = desk.report(id, format).await?;
        match self.output {
            Some(path) => {
                fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
                out!("wrote {}", path.display());
            }
            None => block(&format!("{}\n", text.trim_end())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_one_line_with_its_best_score() {
        let brief = Brief {
            id: "first-page".to_owned(),
            title: "Your first page".to_owned(),
            difficulty: "first-day".to_owned(),
            time_box_seconds: 600,
            ..Brief::default()
        };
        let mut one = Listed { brief, ..Listed::default() };
        let shown = "first-page               first-day    10 min     0     -  -          Your first page";
        assert_eq!(row(&one), shown);
        (one.runs, one.best, one.last_verdict) = (2, Some(87.0), Some("passed".to_owned()));
        assert!(row(&one).contains("   2    87  passed     Your"), "{}", row(&one));
        assert_eq!([of(1, "query", "queries"), of(2, "query", "queries")], ["1 query", "2 queries"]);
    }
}
