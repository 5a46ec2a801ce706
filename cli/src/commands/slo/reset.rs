//! `lab slo reset`: makes the next measurement independent of the last outage (docs/adr/0008-slo-reset.md).

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use slo::{Clock, Slo};

use super::{objectives, prometheus::Prometheus};
use crate::home::Home;

/// The rules need two scrapes and one evaluation; the slow group is evaluated every five seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Deletes from Prometheus what the objectives recorded, and of the series that they count the time that a page looks back
/// at. Everything else stays, as do the alerts of others. Burning alerts end, and a resolve is sent for each. Afterwards
/// every budget is full and no window holds the last outage; windows are short until they have filled again, so for
/// the first minutes an alert reacts sooner than theory says. Fails while something still burns: end the fault first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab fix && lab slo reset")]
pub(crate) struct Reset {}

impl Reset {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let slos = objectives(home)?;
        let prometheus = Prometheus::of(home)?;
        let before = reset(&prometheus, &slos).await?;
        println!(
            "the budgets of {} objectives are full again, and the last {} of what they count are forgotten",
            slos.len(),
            slo::window::humane(look_back().as_secs_f64())
        );
        if before > 0 {
            println!("{before} burning alerts have ended because of it");
        }
        println!(
            "an alert reacts sooner than theory says until its long window has filled: the first pages after 1m and 6m"
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// The longest window that is computed from the services' own series, and a little more.
fn look_back() -> Duration {
    Duration::from_secs(Clock::Lab.pairs()[1].long.as_secs() + 30)
}

/// Forgets, and waits until that shows; how many alerts were firing before.
///
/// # Errors
/// When Prometheus refuses, or when something still burns after it.
pub(super) async fn reset(prometheus: &Prometheus, slos: &[Slo]) -> Result<usize> {
    let before = burning(prometheus).await?.len();
    let now = Utc::now();
    let mut raw: Vec<_> =
        slos.iter().flat_map(|slo| slo.sli.selectors()).map(|series| series.to_string()).collect();
    raw.sort();
    raw.dedup();
    prometheus.delete(&raw, now - look_back(), now).await?;
    let recorded = ["{__name__=~\"slo:.+\"}".to_owned()];
    prometheus.delete(&recorded, DateTime::UNIX_EPOCH, now).await?;

    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let burning = burning(prometheus).await?;
        // Evaluated after the deletion, whatever has gone wrong since.
        let anew = format!("count(timestamp(slo:error_budget_remaining:ratio) > {})", now.timestamp());
        let ready = prometheus.value(&anew).await?.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a handful of objectives")]
        let all = ready >= slos.len() as f64;
        if burning.is_empty() && all {
            return Ok(before);
        }
        if tokio::time::Instant::now() > deadline {
            match burning.is_empty() {
                true => bail!(
                    "forgotten, but only {ready} of {} objectives have data again: is there traffic?",
                    slos.len()
                ),
                false => bail!(
                    "still burning: {}. End the fault first (`lab fix`), then reset",
                    burning.join(", ")
                ),
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Names of the objectives whose alerts fire.
async fn burning(prometheus: &Prometheus) -> Result<Vec<String>> {
    let answer = prometheus.alerts().await?;
    let all = answer["data"]["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own =
        all.iter().filter(|alert| alert["state"] == "firing" && alert["labels"]["long_window"].is_string());
    let mut names: Vec<_> =
        own.filter_map(|alert| alert["labels"]["slo"].as_str()).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}
