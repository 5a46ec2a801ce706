//! `lab release judge`: the judge of releases on two instances that run. Thin: the judge is in the crate `release`; this module
//! scrapes, waits and prints. Needs no lab.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use chrono::Utc;
use clap::Args;
use observe::Peer;
use release::{
    Judge, Opinion, Policy, Verdict,
    measure::{Reading, block},
};
use tokio::time::{MissedTickBehavior, interval};

use crate::terminal::{json, out, say};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Nobody can say: neither 0 nor 1, so that a script does not take it for one of them.
const INCONCLUSIVE: u8 = 2;
/// One of the two does not answer from the start: EX_UNAVAILABLE of sysexits.h.
const UNREACHABLE: u8 = 69;

/// Scrapes both instances every second. Both need the same share of the requests, and should have been started at the same
/// time. Exits with 0 if the canary passes, 1 if it fails, 2 if the verdict is inconclusive, and 69 if an instance does not
/// answer at the start. docs/releases.md explains the verdicts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab release judge --canary http://127.0.0.1:9131 --baseline http://127.0.0.1:9121\n  \
    lab release judge --canary … --baseline … --patience 10m --json")]
pub(super) struct JudgeTwo {
    /// Base URL of the admin port of an instance of the new version.
    #[arg(long, value_name = "URL")]
    canary: String,
    /// Base URL of the admin port of an instance of the old version.
    #[arg(long, value_name = "URL")]
    baseline: String,
    /// Endpoint to leave out; may be repeated. By default the one that fails by design.
    #[arg(long, value_name = "ENDPOINT", default_values = ["/risky"])]
    without: Vec<String>,
    /// Longest time to wait for a verdict; after it, the result is inconclusive.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// Print the verdict as JSON, with every number.
    #[arg(long)]
    json: bool,
}

impl JudgeTwo {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let without: BTreeSet<String> = self.without.iter().cloned().collect();
        let (canary, baseline) = (Peer::at(&self.canary), Peer::at(&self.baseline));
        let look = async || tokio::try_join!(reading(&canary, &without), reading(&baseline, &without));
        // Wrong from the start is a mistake of the caller; later it is an event.
        let mut before = match look().await {
            Ok(first) => first,
            Err(error) => {
                say(format_args!("lab: {error:#}"));
                return Ok(ExitCode::from(UNREACHABLE));
            }
        };
        let policy = Policy { patience: self.patience, ..Policy::default() };
        let (began, mut judge) = (Utc::now(), Judge::new(&policy, 1, Utc::now()));
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if let Ok(after) = look().await {
                if let Some(block) = block((&before.0, &after.0), (&before.1, &after.1), 0) {
                    judge.see(&block);
                }
                before = after;
            }
            let now = Utc::now();
            let opinion = judge.opinion(now);
            let elapsed = (now - began).to_std().unwrap_or_default();
            if opinion.verdict != Verdict::Inconclusive || elapsed >= self.patience {
                return self.end(&opinion);
            }
            if !self.json {
                out!("{:>4} s  {}", elapsed.as_secs(), opinion.why);
            }
        }
    }

    fn end(&self, opinion: &Opinion) -> Result<ExitCode> {
        if self.json {
            json(opinion)?;
        } else {
            print(opinion);
        }
        Ok(match opinion.verdict {
            Verdict::Pass => ExitCode::SUCCESS,
            Verdict::Fail => ExitCode::FAILURE,
            Verdict::Inconclusive => ExitCode::from(INCONCLUSIVE),
        })
    }
}

/// What an instance has counted until now.
///
/// # Errors
/// When it does not answer, or what it answers is no reading.
pub(super) async fn reading(peer: &Peer, without: &BTreeSet<String>) -> Result<Reading> {
    let text = peer.text("/metrics", &[]).await?;
    match Reading::parse(&text, Utc::now(), without) {
        Ok(reading) => Ok(reading),
        Err(error) => bail!("{}/metrics: {error}", peer.base()),
    }
}

fn print(opinion: &Opinion) {
    for signal in &opinion.signals {
        let p = match (signal.p, signal.alpha) {
            (Some(p), Some(alpha)) => format!(", p {p:.4} (fails at {alpha:.4})"),
            _ => String::new(),
        };
        out!("{:<12} {}: {}{p}", signal.verdict.to_string(), signal.name, signal.why);
    }
    out!("{}: {} requests each, {} needed", opinion.verdict, opinion.requests, opinion.needed);
}
