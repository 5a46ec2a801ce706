//! `lab slo gate`: whether something may be released. A release runs it and goes by its exit code.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use slo::{Slo, report::Report};

use super::{chosen::Chosen, prometheus::report};
use crate::{
    installation::Installation,
    terminal::{out, say},
};

/// There is no such objective, or a spec has problems: EX_USAGE of sysexits.h.
pub(super) const WRONG: u8 = 64;
/// Prometheus did not answer, so nobody knows: EX_UNAVAILABLE of sysexits.h.
pub(super) const UNKNOWN: u8 = 69;

/// Exits with 0 if every budget has something left. Anything else means that nothing should be released: 1, and the
/// reasons, if a budget is spent or has no data; 64 if there is no such objective or a spec has problems; 69 if
/// Prometheus does not answer. docs/error-budget-policy.md says who may go past a closed gate, and how.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo gate && ./release\n  \
    lab slo gate --slo order-availability --least 10%\n  \
    lab slo gate --service order-api             those that a release of order-api can hurt\n  \
    lab --prometheus http://host:9090 slo gate")]
pub(crate) struct Gate {
    #[command(flatten)]
    chosen: Chosen,
    /// Share of the budget that must be left, such as 10% or 0.1. By default any positive share.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    least: f64,
}

impl Gate {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let slos = match self.chosen.of(place) {
            Ok(slos) => slos,
            Err(error) => return Ok(closed_because(WRONG, &error)),
        };
        let report = match ask(place, &slos).await {
            Ok(report) => report,
            Err(error) => return Ok(closed_because(UNKNOWN, &error)),
        };
        let closed = report.closed(self.least);
        if closed.is_empty() {
            out!("open: {} budgets have something left, {} clock", slos.len(), report.clock);
            return Ok(ExitCode::SUCCESS);
        }
        say(format_args!("closed:\n  {}", closed.join("\n  ")));
        Ok(ExitCode::FAILURE)
    }
}

async fn ask(place: &Installation, slos: &[Slo]) -> Result<Report> {
    report(&*place.prometheus().await?, slos).await
}

/// A gate that cannot tell is not open.
fn closed_because(code: u8, error: &anyhow::Error) -> ExitCode {
    say(format_args!("unknown, so not open: {error:#}"));
    ExitCode::from(code)
}

fn share(text: &str) -> Result<f64, String> {
    chassis_text::share(text).ok_or_else(|| "expected 0 to 100 %, such as 10% or 0.1".to_owned())
}
