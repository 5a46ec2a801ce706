//! `lab slo simulate` and `lab slo explain`: arithmetic that needs no lab.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use slo::{
    simulate::{Segment, simulate},
    window::{humane, percent},
};

use super::{ClockName, clock, objective, objectives};
use crate::{
    home::Home,
    terminal::{block, json, out},
};

/// Assumes constant traffic, and windows that were full of healthy requests before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo simulate order-availability 2m@10% 10m\n  \
    lab slo simulate order-latency 1h@20% 1h@2% 6h --clock production\n  \
    lab slo simulate order-availability 43s@100% --json")]
pub(crate) struct Simulate {
    /// Name of the objective.
    #[arg(value_name = "SLO")]
    name: String,
    /// What happens, in order: DURATION@RATIO, such as 10m@2% or 10m@0.02; a DURATION alone is healthy.
    #[arg(value_name = "DURATION@RATIO", required = true)]
    segments: Vec<Segment>,
    /// Windows of the lab (minutes) or of production (hours and days).
    /// By default the clock of the lab that runs here.
    #[arg(long, value_enum)]
    clock: Option<ClockName>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Simulate {
    /// Runs the command.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let slo = objective(objectives(home)?, &self.name)?;
        let outcome = simulate(&slo, clock(self.clock, home), &self.segments);
        if self.json {
            json(&outcome)?;
            return Ok(ExitCode::SUCCESS);
        }
        // Events are whole seconds below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let at = |seconds: u64| humane(seconds as f64);
        for event in &outcome.events {
            let what = if event.fires { "fires" } else { "ends" };
            out!("{:>10}  {} {what}, long_window={}", at(event.at), event.severity, event.long_window);
        }
        if outcome.events.is_empty() {
            out!("no alert fires");
        }
        out!("");
        out!("budget spent: {} of {}", percent((outcome.budget_spent * 1e4).round() / 1e4), slo.name);
        if let Some(seconds) = outcome.exhausted_at {
            out!("the budget is gone after {}", at(seconds));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The promise, what the burn rate means, the windows that detect it, when the budget is gone, and the queries to
/// run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo explain OrderAvailabilityBudgetBurn\n  \
    lab slo explain order-latency --clock production")]
pub(crate) struct Explain {
    /// Name of the alert or of its objective.
    #[arg(value_name = "ALERT")]
    name: String,
    /// Windows of the lab (minutes) or of production (hours and days).
    /// By default the clock of the lab that runs here.
    #[arg(long, value_enum)]
    clock: Option<ClockName>,
}

impl Explain {
    /// Runs the command.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let slo = objective(objectives(home)?, &self.name)?;
        block(&slo::explain::explain(&slo, clock(self.clock, home)));
        Ok(ExitCode::SUCCESS)
    }
}
