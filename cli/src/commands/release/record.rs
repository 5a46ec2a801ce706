//! `lab release record-noise`: what two instances of one version do beside each other, as a file. Thin: the format is in the crate
//! `release`; this module scrapes, waits and writes.

use std::{
    collections::BTreeSet, fs, num::NonZero, path::PathBuf, process::ExitCode, thread::available_parallelism,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use clap::Args;
use observe::Peer;
use release::{
    Block,
    look::WITHOUT,
    measure::block,
    noise::{Header, Noise},
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::judge::reading;
use crate::{
    installation::Installation,
    terminal::{out, say},
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Between two lines about how far it is.
const PROGRESS: Duration = Duration::from_secs(60);

/// Scrapes two instances of a service every second, and writes what each did to a file: requests, failures, latency by bucket, CPU and
/// memory. Both have to run the same version and to get the same share of the requests, as two replicas behind the edge do. A release
/// between them would be one of a version that is no worse; the suite of the judge draws such releases from these files
/// (docs/releases.md).
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab up --rate 200 --replicas order-api=2\n  \
    lab release record-noise order-api --for 10m --write oncall/release/noise/order-api.jsonl")]
pub(super) struct RecordNoise {
    /// The service.
    service: String,
    /// How long to record; from 1m to 1h.
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = lasts)]
    lasts: Duration,
    /// The file to write; one that exists is replaced.
    #[arg(long, value_name = "FILE")]
    write: PathBuf,
}

/// A time that is long enough to draw from, and not longer than anybody waits.
fn lasts(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (Duration::from_secs(60)..=Duration::from_secs(3600)).contains(&time) => Ok(time),
        _ => Err(format!("`{text}` is not a time from 1m to 1h such as 10m")),
    }
}

impl RecordNoise {
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let replicas = place.replicas(Some(&self.service)).await?;
        let [one, other] = replicas.as_slice() else {
            let (service, count) = (&self.service, replicas.len());
            bail!(
                "{service} has {count} instances, and 2 are needed: lab up --rate 200 --replicas {service}=2"
            );
        };
        let versions = (one.version().await?, other.version().await?);
        if versions.0 != versions.1 {
            bail!("{one} is {}, and {other} is {}: that is no noise", versions.0, versions.1);
        }
        out!("recording {one} and {other} for {}", humantime::format_duration(self.lasts));
        let pair = [one.admin(), other.admin()].map(Peer::at);
        let at = Utc::now();
        let blocks = self.blocks(&pair).await?;
        let Some(first) = blocks.first() else { bail!("nothing was measured in all that time") };
        let noise = Noise::of(Header::new(&self.service, at, &machine(), first), &blocks);
        fs::write(&self.write, noise.text())
            .with_context(|| format!("cannot write {}", self.write.display()))?;
        let (seconds, rate) = (noise.seconds.len(), noise.rate());
        out!("{}: {seconds} s, {rate:.0} requests per second to each", self.write.display());
        Ok(ExitCode::SUCCESS)
    }

    /// What both did between the looks. A look without an answer, or at a process that has just started, is left out.
    async fn blocks(&self, pair: &[Peer; 2]) -> Result<Vec<Block>> {
        let without: BTreeSet<String> = WITHOUT.iter().map(|&endpoint| endpoint.to_owned()).collect();
        let [one, other] = pair;
        let look = async || tokio::try_join!(reading(one, &without), reading(other, &without));
        // Wrong from the start is a mistake of the caller; later it is an event.
        let mut before = look().await?;
        let (begun, mut told, mut blocks) = (Instant::now(), Instant::now(), Vec::new());
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once.
        ticks.tick().await;
        while begun.elapsed() < self.lasts {
            ticks.tick().await;
            match look().await {
                Ok(after) => {
                    blocks.extend(block((&before.0, &after.0), (&before.1, &after.1), 0));
                    before = after;
                }
                Err(error) => say(format_args!("lab: a second is missing: {error:#}")),
            }
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                out!("{} s of {} s", begun.elapsed().as_secs(), self.lasts.as_secs());
            }
        }
        Ok(blocks)
    }
}

/// This machine, in a few words: the noise is that of its processors.
fn machine() -> String {
    let cores = available_parallelism().map_or(1, NonZero::get);
    format!("{cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_long_enough_to_draw_from() {
        assert_eq!(lasts("10m"), Ok(Duration::from_secs(600)));
        for wrong in ["5s", "2h", "soon", ""] {
            assert!(lasts(wrong).unwrap_err().contains("such as 10m"), "{wrong}");
        }
    }
}
