//! `lab gameday PLAN.yaml`: several drills over an hour, with roles. This terminal is the instructor's: it
//! shows the truth, pauses the clock, and writes the report. Responders have the pages, or `lab drill` in
//! another terminal.

mod day;
mod plan;
mod report;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use self::{day::Day, plan::Plan};
use super::drill::{client::Desk, text::clock};
use crate::{
    home::Home,
    installation::Installation,
    terminal::{block, json as print_json, out},
};

/// Runs a game day: drills at their times, each for its responder, and a report at the end. Give it the
/// instructor's rights, and keep this terminal away from the responders.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab gameday drills/gamedays/first-hour.yaml --check\n  \
    lab gameday drills/gamedays/first-hour.yaml\n\n\
    While it runs, type a letter and Enter: p pause or resume, t the truth, a abort this drill, \
    s begin the next one now, e end the day after this drill. Ctrl-C aborts the drill and ends \
    the day.\n\
    How to write a plan: docs/drills.md")]
pub(crate) struct GameDay {
    /// The plan.
    #[arg(value_name = "PLAN.yaml")]
    plan: PathBuf,
    /// Only check the plan, and show its times.
    #[arg(long)]
    check: bool,
    /// Do not show the truth unless asked with `t`.
    #[arg(long)]
    sealed: bool,
    /// Write the report, in Markdown, to this file. By default it is kept in the lab's folder.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON: the plan with --check, otherwise the runs at the end.
    #[arg(long)]
    json: bool,
}

impl GameDay {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let desk = Desk::instructor(place, None).await?;
        let name = self.plan.display().to_string();
        let text = fs::read_to_string(&self.plan).with_context(|| format!("cannot read {name}"))?;
        let (_, listed) = desk.drills().await?;
        let known: Vec<&str> = listed.iter().map(|one| one.brief.id.as_str()).collect();
        let plan = plan::read(&name, &text, &known)?;
        if self.check {
            return self.show(&plan);
        }
        let mut day = Day::begin(&plan, place, desk, self.sealed);
        let mut held = Vec::new();
        let ended = day.hold(&mut held).await;
        let mut scorecards = Vec::new();
        for one in held.iter().filter_map(|held| held.run.as_ref()) {
            scorecards.extend(day.desk.report(one.id, "markdown").await.ok());
        }
        let page = report::page(&plan, &held, &scorecards);
        if self.json {
            let runs: Vec<_> = held.iter().filter_map(|held| Some(&held.run.as_ref()?.raw)).collect();
            print_json(&runs)?;
        } else {
            block(&report::summary(&held));
        }
        // The report of the drills before it exists even if one could not be followed to its end.
        self.keep(&page, place)?;
        ended.map(|()| ExitCode::SUCCESS)
    }

    fn show(&self, plan: &Plan) -> Result<ExitCode> {
        if self.json {
            let slots = plan.slots.iter().map(|slot| {
                let at = slot.at.map(|at| at.as_secs());
                let responder = plan.responder(slot);
                json!({ "drill": slot.drill, "at_seconds": at, "responder": responder, "note": slot.note })
            });
            let slots: Vec<Value> = slots.collect();
            print_json(&json!({ "title": plan.title, "roles": plan.roles, "drills": slots }))?;
            return Ok(ExitCode::SUCCESS);
        }
        out!("{}, {}", plan.title, humantime::format_duration(plan.length));
        plan.roles.iter().for_each(|(role, person)| out!("  {role:14} {person}"));
        for slot in &plan.slots {
            let at = slot.at.map_or_else(|| "then".to_owned(), |at| clock(at.as_secs_f64()));
            let who = plan.responder(slot).unwrap_or_else(|| "anybody".to_owned());
            out!("  {at:>8}  {:24} {who:12} {}", slot.name(), slot.note.as_deref().unwrap_or(""));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Keeps the report.
    fn keep(&self, page: &str, place: &Installation) -> Result<()> {
        let path = match &self.report {
            Some(path) => path.clone(),
            None => default_report(&place.home()?)?,
        };
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
        if !self.json {
            out!("report: {}", path.display());
        }
        Ok(())
    }
}

fn default_report(home: &Home) -> Result<PathBuf> {
    let folder = home.dir.join("gamedays");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder.join(format!("{}.md", chrono::Local::now().format("%Y-%m-%d-%H%M"))))
}
