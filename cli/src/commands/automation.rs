//! `lab automation`: whether runbooks start by themselves when their alert fires, and the switch that stops them all.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use observe::ControlRoom;
use serde_json::{Value, json};

use crate::{
    installation::Installation,
    terminal::{json as print_json, out},
};

/// Without arguments, shows whether automation acts, since when and why. Off stops every run that proceeds by itself at once, and
/// undoes nothing; guided runs continue. On also closes the breaker.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab automation\n  \
    lab automation off \"it restarts a process that is fine\" --as ada\n  \
    lab automation on \"the cause is fixed\" --as ada\n\n\
    What it may do: guardrails.yaml, docs/automation.md")]
pub(crate) struct Automation {
    /// Switch it on or off; without this, show its state.
    switch: Option<Switch>,
    /// The reason.
    #[arg(default_value = "", hide_default_value = true)]
    why: String,
    /// Who acts, such as ada; by default the name that the control room has for you.
    #[arg(long = "as", id = "as", env = "LAB_PERSON", value_name = "NAME")]
    who: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Whether automation acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// It acts on alerts.
    On,
    /// It does nothing.
    Off,
}

const PATH: &str = "/api/v1/automation";

impl Automation {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let room = place.control_room().await?.map(|room| room.acting_as(self.who));
        let room: &ControlRoom = &room;
        let now = match self.switch {
            None => room.get(PATH, &[]).await?,
            Some(switch) => {
                let why = if self.why.is_empty() { "switched at the terminal" } else { self.why.as_str() };
                room.put(PATH, &json!({ "on": switch == Switch::On, "why": why })).await?
            }
        };
        if self.json {
            print_json(&now)?;
        } else {
            print(&now);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(now: &Value) {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    out!("automation is {}", if now["on"] == true { "on" } else { "off" });
    out!("  since {}, by {}: {}", word(&now["since"]), word(&now["by"]), word(&now["why"]));
    if let Some(breaker) = now["breaker"].as_str() {
        out!("  the breaker is open: {breaker}");
    }
    for switch in now["recent"].as_array().into_iter().flatten() {
        let state = if switch["on"] == true { "on" } else { "off" };
        out!("  {}  {state:3}  {}: {}", word(&switch["at"]), word(&switch["by"]), word(&switch["why"]));
    }
}
