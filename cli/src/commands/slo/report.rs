//! `lab slo report` and `lab slo gate`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use slo::report::Format;

use super::{objectives, prometheus::report};
use crate::{
    installation::Installation,
    terminal::{block, out, say},
};

/// Asks Prometheus for each objective. healthy: it is kept and nothing burns. at risk: it is kept, but an alert
/// fires or less than a quarter of the budget is left. violated: the budget is spent. no data: Prometheus has no
/// series of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo report\n  \
    lab --prometheus http://host:9090 slo report\n  \
    lab slo report --format json | jq '.slos[] | {slo, status, budget_remaining}'\n  \
    lab slo report --format html > slo.html")]
pub(crate) struct ReportCommand {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: FormatName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Text,
    Json,
    Markdown,
    Html,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Json => Self::Json,
            FormatName::Markdown => Self::Markdown,
            FormatName::Html => Self::Html,
        }
    }
}

impl ReportCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let report = report(&*place.prometheus().await?, &objectives(&place.home()?)?).await?;
        block(&report.write(self.format.into())?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Exits with 0 if every budget has something left, and with 1 and the reasons if one is spent or has no data.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo gate && ./release\n  \
    lab slo gate --slo order-availability --least 10%")]
pub(crate) struct Gate {
    /// Only this objective; may be repeated.
    #[arg(long = "slo", value_name = "NAME")]
    slos: Vec<String>,
    /// Share of the budget that must be left, such as 10% or 0.1. By default any positive share.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    least: f64,
}

impl Gate {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let mut slos = objectives(&place.home()?)?;
        for name in &self.slos {
            if !slos.iter().any(|slo| slo.name == *name) {
                let known: Vec<_> = slos.iter().map(|slo| slo.name.as_str()).collect();
                bail!("no objective is called `{name}`; there are: {}", known.join(", "));
            }
        }
        slos.retain(|slo| self.slos.is_empty() || self.slos.contains(&slo.name));
        let closed = report(&*place.prometheus().await?, &slos).await?.closed(self.least);
        if closed.is_empty() {
            out!("open: {} budgets have something left", slos.len());
            return Ok(ExitCode::SUCCESS);
        }
        say(format_args!("closed:\n  {}", closed.join("\n  ")));
        Ok(ExitCode::FAILURE)
    }
}

fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map(|number| number / scale).ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected 0 to 100 %, such as 10% or 0.1".to_owned())
}
