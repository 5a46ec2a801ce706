//! Synthetic probes: what a user does, tried from outside every few seconds whether or not anybody uses the shop; and attacks that
//! the firewall has to block (docs/probes.md). A process of its own, so that it works while the load generator does not.
//!
//! * [`journey`] -- the journeys: what is sent, and what the answers must be. No I/O.
//! * [`samples`] and [`turns`] -- attacks and look-alikes, from the rules that the edge ships, and which of them are next. No I/O.
//! * [`ask`] -- one request, with a deadline and the [`trace`] of its journey.
//! * [`walk`] and [`firewall`] -- what runs: journeys step by step, samples round by round.
//! * [`board`] -- what was seen last, for `/probes`.
//! * [`metrics`], [`config`] -- the process.

pub mod ask;
pub mod board;
pub mod config;
pub mod firewall;
pub mod journey;
pub mod metrics;
pub mod samples;
pub mod trace;
pub mod turns;
pub mod walk;

use std::{future::Future, sync::Arc, time::Duration};

use chassis_service::{App, Chassis, lifecycle};
use chrono::Utc;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use self::{
    ask::Asker,
    board::Board,
    config::{ProbeConfig, SERVICE},
    firewall::Firewall,
    journey::Journey,
    metrics::ProbeMetrics,
    walk::Walker,
};
use crate::start::Shop;

/// The life of the process.
///
/// # Errors
/// When its address cannot be bound, or a shipped rule cannot be read.
pub async fn live(config: &ProbeConfig) -> anyhow::Result<()> {
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(config, chassis)?).await
}

/// Assembles the probes: a background task per journey, and one for the firewall.
///
/// # Errors
/// When a shipped rule cannot be read.
pub fn build(config: &ProbeConfig, chassis: Chassis) -> anyhow::Result<App> {
    let metrics = Arc::new(ProbeMetrics::new(&chassis.metrics));
    let board = Arc::new(Board::default());
    let begun = begin(config, &chassis, Arc::clone(&metrics));
    let asker = || Asker::new(Arc::clone(&metrics));
    let walker = Arc::new(Walker::new(asker(), config, Arc::clone(&metrics), Arc::clone(&board)));
    for (at, journey) in (0_u32..).zip(Journey::ALL) {
        // One after the other, so that the shop is asked evenly.
        let first = config.every * at / 2;
        let walker = Arc::clone(&walker);
        repeat(&chassis, begun.clone(), first, config.every, move |run| {
            let walker = Arc::clone(&walker);
            async move { walker.walk(journey, run).await }
        });
    }
    let samples = samples::shipped().map_err(anyhow::Error::msg)?;
    let firewall = Arc::new(Firewall::new(asker(), config, samples, metrics, Arc::clone(&board)));
    repeat(&chassis, begun, config.every / 4, config.firewall_every, move |_| {
        let firewall = Arc::clone(&firewall);
        async move { firewall.round().await }
    });
    Ok(App::new(&config.common(), chassis).administering(board::routes(board), board::PATHS))
}

/// Waits for the shop in the background; `true` as soon as the probes may begin.
fn begin(config: &ProbeConfig, chassis: &Chassis, metrics: Arc<ProbeMetrics>) -> watch::Receiver<bool> {
    let (open, begun) = watch::channel(false);
    let (shop, longest) = (Shop::new(&config.url, &config.url), config.start.start_wait);
    let stop = chassis.shutdown.clone();
    chassis.spawn(async move {
        if shop.opens(longest, &stop, || metrics.waits(Utc::now())).await {
            metrics.begins();
            open.send_replace(true);
        }
    });
    begun
}

/// Does `work` again and again once it is `begun`, with the number of the time, until the process stops. Work that takes longer than
/// `every` delays the next time: nothing is done twice at once.
fn repeat<F>(
    chassis: &Chassis,
    mut begun: watch::Receiver<bool>,
    first: Duration,
    every: Duration,
    work: impl Fn(u64) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let stop = chassis.shutdown.clone();
    chassis.spawn(async move {
        let times = async move {
            // Nobody says so any more: the process ends.
            if begun.wait_for(|begun| *begun).await.is_err() {
                return;
            }
            let mut ticks = interval_at(Instant::now() + first, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            for run in 0_u64.. {
                ticks.tick().await;
                work(run).await;
            }
        };
        // What is under way ends with the process: an order settles without us.
        stop.run_until_cancelled_owned(times).await;
    });
}
