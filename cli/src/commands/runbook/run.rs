//! Starts a run, and follows it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use observe::ControlRoom;
use serde_json::{Map, Value, json};

use super::{
    guide, parameter,
    print::{self, each, word},
    runbook,
};
use crate::{
    commands::ids,
    terminal::{json as print_json, out},
};

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Each step is shown, and done when you say so.
    Manual,
    /// Steps run by themselves, once a second person has approved what they change.
    Ask,
    /// All steps run by themselves, as far as the guardrails allow.
    Auto,
}

impl Mode {
    /// Its name in the API.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Ask => "ask",
            Self::Auto => "auto",
        }
    }
}

/// Exits with 0 if every step was done and the last proof held. Ctrl-C leaves the run as it is; `lab runbook stop` ends it.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// The runbook, such as DeadLetters.
    #[arg(value_parser = runbook)]
    runbook: String,
    /// Parameters; what the alert of the incident has in its labels may be left out.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// How it goes.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Mode::Manual)]
    mode: Mode,
    /// The incident that it is for; by default the open one that has its alert.
    #[arg(long, value_name = "INCIDENT", value_parser = ids::incident)]
    incident: Option<String>,
    /// Start it, and do not follow it.
    #[arg(long)]
    detach: bool,
    /// Print JSON; only with --detach.
    #[arg(long, requires = "detach")]
    json: bool,
}

impl Start {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let (incident, parameters) = given(room, &self.runbook, self.incident, self.parameters).await?;
        let run = begin(room, &self.runbook, self.mode, incident.as_deref(), &parameters).await?;
        if !self.detach {
            return guide::follow(room, run).await;
        }
        if self.json {
            print_json(&run)?;
        } else {
            out!("{}", print::line(&run));
            out!("follow it: lab runbook status {}", word(&run["id"]));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts a run.
pub(super) async fn begin(
    room: &ControlRoom,
    runbook: &str,
    mode: Mode,
    incident: Option<&str>,
    parameters: &Map<String, Value>,
) -> Result<Value> {
    let body = json!({ "mode": mode.name(), "incident": incident, "parameters": parameters });
    Ok(room.post(&format!("/api/v1/runbooks/{runbook}/runs"), &body).await?)
}

/// What a run begins with: its incident, by default the one that [`concerned`] finds, and its parameters.
pub(super) async fn given(
    room: &ControlRoom,
    runbook: &str,
    incident: Option<String>,
    parameters: Vec<(String, String)>,
) -> Result<(Option<String>, Map<String, Value>)> {
    let incident = match incident {
        Some(incident) => Some(incident),
        None => concerned(room, runbook).await?,
    };
    let parameters = parameters.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    Ok((incident, parameters))
}

/// The open incident that has the alert of this runbook, if there is one.
pub(super) async fn concerned(room: &ControlRoom, runbook: &str) -> Result<Option<String>> {
    let open = room.get("/api/v1/incidents", &[("open", "true"), ("limit", "20")]).await?;
    for incident in each(&open["incidents"]) {
        let whole = room.get(&format!("/api/v1/incidents/{}", word(&incident["id"])), &[]).await?;
        let fires = |member: &Value| member["ended_at"].is_null() && member["alert"]["name"] == runbook;
        if each(&whole["alerts"]).iter().any(fires) {
            return Ok(whole["id"].as_str().map(str::to_owned));
        }
    }
    Ok(None)
}
