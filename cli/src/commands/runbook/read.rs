//! Reading: runbooks, what one would do now, runs.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use observe::ControlRoom;
use serde_json::{Value, json};

use super::{
    parameter,
    print::{self, each, word},
    run::given,
    runbook,
};
use crate::{
    commands::ids,
    terminal::{json, out},
};

/// All runbooks.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One runbook.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The runbook, such as DeadLetters.
    #[arg(value_parser = runbook)]
    runbook: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A runbook with its values. Exits with 1 if it could not begin now.
#[derive(Debug, Args)]
pub(super) struct Dry {
    /// The runbook, such as DeadLetters.
    #[arg(value_parser = runbook)]
    runbook: String,
    /// Parameters; what the alert of the incident has in its labels may be left out.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// The incident that it would be for; by default the open one that has its alert.
    #[arg(long, value_name = "INCIDENT", value_parser = ids::incident)]
    incident: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The run, such as RUN-7; by default the last ones.
    #[arg(value_parser = ids::run)]
    run: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let answer = room.get("/api/v1/runbooks", &[]).await?;
        if self.json {
            return json(&answer["runbooks"]);
        }
        for runbook in each(&answer["runbooks"]) {
            let kind = if runbook["alert"].is_null() { "procedure" } else { "alert" };
            out!("{:34} {:9}  {}", word(&runbook["name"]), kind, word(&runbook["title"]));
        }
        Ok(())
    }
}

impl Show {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let runbook = room.get(&format!("/api/v1/runbooks/{}", self.runbook), &[]).await?;
        if self.json {
            return json(&runbook);
        }
        out!("{}: {}", word(&runbook["name"]), word(&runbook["title"]));
        for parameter in each(&runbook["parameters"]) {
            let given = match (parameter["label"].as_str(), parameter["default"].as_str()) {
                (Some(label), _) => format!(", from the alert's label {label}"),
                (None, Some(default)) => format!(", by default {default}"),
                (None, None) => String::new(),
            };
            let (name, what) = (word(&parameter["name"]), word(&parameter["what"]));
            out!("  {name:14} {what} ({}{given})", word(&parameter["expects"]));
        }
        for (index, step) in each(&runbook["steps"]).iter().enumerate() {
            out!("  {:2}. {} ({})", index + 1, word(&step["name"]), word(&step["kind"]));
            out!("      {}", word(&step["what"]));
        }
        Ok(())
    }
}

impl Dry {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let (incident, parameters) = given(room, &self.runbook, self.incident, self.parameters).await?;
        let body = json!({ "parameters": parameters, "incident": incident });
        let shown = room.post(&format!("/api/v1/runbooks/{}/dry", self.runbook), &body).await?;
        let ready = shown["ready"] == true;
        if self.json {
            json(&shown)?;
        } else {
            dry(&shown);
        }
        Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn dry(shown: &Value) {
    for (title, list) in [("has to be so first", "preconditions"), ("looks at", "checks")] {
        let checks = each(&shown[list]);
        if !checks.is_empty() {
            out!("{title}");
        }
        for check in checks {
            let mark = if check["holds"] == true { "is so" } else { "is not so" };
            out!("  {:9}  {}: {}", mark, word(&check["name"]), word(&check["text"]));
            out!("             expected {}, found {}", word(&check["expected"]), word(&check["seen"]));
        }
    }
    each(&shown["decisions"]).iter().for_each(decision);
    for why in each(&shown["approvals"]) {
        out!("waits for a second person: {}", word(why));
    }
    if !each(&shown["changes"]).is_empty() {
        out!("would change, if automation asked");
    }
    for change in each(&shown["changes"]) {
        let when = change["when"].as_str().map_or_else(String::new, |when| format!(" (only if {when})"));
        out!("  {:9}  {}{when}", word(&change["verdict"]), word(&change["text"]));
        for hit in each(&change["hits"]) {
            out!("             would hit {}", word(hit));
        }
        for reason in each(&change["reasons"]) {
            out!("             {}", word(reason));
        }
        out!("             taken back by: {}", word(&change["undo"]));
    }
    for problem in each(&shown["problems"]) {
        out!("problem: {}", word(problem));
    }
    out!("{}", if shown["ready"] == true { "it could begin now" } else { "it could not begin now" });
}

/// The branches of a decision, and the one that would be taken now.
fn decision(decision: &Value) {
    out!("decides {}", word(&decision["name"]));
    for branch in each(&decision["branches"]) {
        let mark = if branch["taken"] == true { "taken" } else { "" };
        let asked = match (branch["condition"].as_str(), branch["seen"].as_str()) {
            (Some(condition), seen) => format!("{condition}, found {}", seen.unwrap_or("nothing")),
            (None, _) => "only a person can choose it".to_owned(),
        };
        out!("  {mark:9}  {}: {asked}", word(&branch["name"]));
    }
}

impl Status {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        if let Some(run) = self.run {
            let run = room.get(&format!("/api/v1/runbook-runs/{run}"), &[]).await?;
            if self.json {
                return json(&run);
            }
            print::whole(&run);
            return Ok(());
        }
        let answer = room.get("/api/v1/runbook-runs", &[]).await?;
        if self.json {
            return json(&answer["runs"]);
        }
        let runs = each(&answer["runs"]);
        if runs.is_empty() {
            out!("no runbook has been run; `lab runbook list` has them");
        }
        runs.iter().for_each(|run| out!("{}", print::line(run)));
        Ok(())
    }
}
