//! The load generator: decides what to send and when, sends it, and measures from the moment it was due.
//!
//! * [`schedule`] -- when: arrival times at a rate, constant or Poisson.
//! * [`mix`] and [`workload`] -- what: operations by weight, users by a Zipf distribution, all from one seed.
//! * [`target`] and [`http`] -- sending: the one trait of this crate, and its HTTP implementation.
//! * [`driver`] -- open loop (an arrival rate that never waits) and closed loop (N callers, for benchmarks).
//! * [`record`] and [`summary`] -- measuring, from the intended start and from the actual one.
//! * [`config`] and [`admin`] -- the command and its admin port.
//! * [`scenario`], [`mod@run`], [`report`] and [`command`] -- the performance lab: a load test as a file, run to a verdict;
//!   [`openapi`] writes one from an OpenAPI document, [`capacity`] says how much a system can do, and [`scale`] what many times that
//!   would need.
//! * [`start`] -- what waits for a shop that starts, before the first request.
//! * [`probe`] -- the synthetic probes: another process of the same program.
//!
//! An open loop must not slow down when the system does: this keeps a freeze visible in the percentiles
//! (Gil Tene, "How NOT to Measure Latency"; the term is coordinated omission).

pub mod admin;
pub mod capacity;
pub mod command;
pub mod config;
pub mod driver;
mod failures;
pub mod http;
mod life;
pub mod mix;
pub mod openapi;
pub mod probe;
pub mod record;
mod renewal;
pub mod report;
pub mod run;
pub mod scale;
pub mod scenario;
pub mod schedule;
pub mod start;
pub mod summary;
pub mod target;
pub mod workload;

use std::sync::Arc;

use chassis_service::{App, Chassis};

pub use life::live;

use crate::{
    admin::Rate,
    config::LoadConfig,
    http::HttpTarget,
    record::{LoadMetrics, Recorder},
    start::Shop,
};

/// Assembles the generator: a background task sends requests, and ends the program when the run is over. The recorder has what
/// was measured.
///
/// # Errors
/// When the Zipf exponent is not valid.
pub fn build(config: &LoadConfig, chassis: Chassis) -> anyhow::Result<(App, Arc<Recorder>)> {
    let recorder = Arc::new(Recorder::new(LoadMetrics::new(&chassis.metrics), config.warmup));
    let rate = Rate::new(config.rate, recorder.metrics().target_rps().clone());
    let target = Arc::new(HttpTarget::new(&config.order_api, &config.user_service));
    let plan = config.plan(rate.subscribe())?;
    let (shop, longest) = (Shop::new(&config.order_api, &config.user_service), config.start.start_wait);
    let (rps, seed, measured, over) =
        (config.rate, config.seed, Arc::clone(&recorder), chassis.shutdown.clone());
    chassis.spawn(async move {
        if !shop.opens(longest, &over, || ()).await {
            return;
        }
        tracing::info!(rps, seed, "load starts");
        driver::run(plan, target, measured, over.clone()).await;
        tracing::info!("load ended");
        over.cancel();
    });
    let app = App::new(&config.common(), chassis);
    // A closed loop has no rate.
    let app =
        if config.concurrency.is_some() { app } else { app.administering(admin::routes(rate), admin::PATHS) };
    Ok((app, recorder))
}
