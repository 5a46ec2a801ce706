//! `lab slo verify`: whether users are served well after a release. A release runs it at its end, and goes back by its exit code.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use chrono::Utc;
use clap::Args;
use slo::{
    Slo,
    report::past::{Past, Range},
};
use tokio::time::sleep;

use super::{
    chosen::Chosen,
    gate::{UNKNOWN, WRONG},
    prometheus,
};
use crate::{
    installation::Installation,
    terminal::{out, say},
};

/// Watches the objectives from now on. Exits with 0 if each was served well; with 1, and the reasons, if the share of bad events of one
/// was above what pages within a minute (14.4 times its budget); with 64 if there is no such objective or a spec has problems; with 69
/// if Prometheus does not answer or has not recorded half of the time, because then nobody knows. What happened before it was started
/// does not count.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo verify\n  \
    lab slo verify --service order-api --for 2m || ./roll-back\n  \
    lab --context k8s slo verify                 the lab on Kubernetes")]
pub(crate) struct Verify {
    #[command(flatten)]
    chosen: Chosen,
    /// How long; at least the shortest window of the clock, which is 5 s on the lab's and 5 minutes on the production clock. Before
    /// that, it waits once for that window, so that nothing from before is in it.
    #[arg(long = "for", value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    during: Duration,
}

impl Verify {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let slos = match self.chosen.of(place) {
            Ok(slos) => slos,
            Err(error) => return Ok(unknown(WRONG, &format!("{error:#}"))),
        };
        let past = match self.watch(place, &slos).await {
            Ok(past) => past,
            Err(error) => return Ok(unknown(UNKNOWN, &format!("{error:#}"))),
        };
        let burning = past.burning();
        if !burning.is_empty() {
            say(format_args!("not well:\n  {}", burning.join("\n  ")));
            return Ok(ExitCode::FAILURE);
        }
        let missing = past.unknown();
        if !missing.is_empty() {
            return Ok(unknown(UNKNOWN, &missing.join("; ")));
        }
        let unused = past.unused();
        if !unused.is_empty() {
            say(format_args!("nobody used, so nothing is known of: {}", unused.join(", ")));
        }
        out!("well: {} objectives over {} s, {} clock", slos.len(), past.range.seconds(), past.clock);
        Ok(ExitCode::SUCCESS)
    }

    /// The objectives over the time that begins now.
    async fn watch(&self, place: &Installation, slos: &[Slo]) -> Result<Past> {
        let clock = prometheus::clock(&*place.prometheus().await?).await?;
        let window = Duration::from_secs(clock.base().as_secs());
        let during = Duration::from_secs(self.during.max(window).as_secs());
        say(format_args!(
            "watching {} objectives for {} s, after a pause of {} s",
            slos.len(),
            during.as_secs(),
            window.as_secs()
        ));
        // What is recorded at a moment is a rate over this window.
        sleep(window + during).await;
        let until = Utc::now();
        let range = Range { from: until - chrono::Duration::from_std(during)?, until };
        // Asked for again: a port-forward need not outlive the pause.
        prometheus::past(&*place.prometheus().await?, slos, clock, range).await
    }
}

/// If nobody can tell, it does not count as good.
fn unknown(code: u8, why: &str) -> ExitCode {
    say(format_args!("unknown, so not well: {why}"));
    ExitCode::from(code)
}
