//! The life of a run: configuration, telemetry, admin port, load until its end or a signal, drain, summary.

use std::{io::Write, process::ExitCode, sync::Arc};

use anyhow::Context;
use chassis_http::Server;
use chassis_service::{CommonConfig, lifecycle};
use chassis_telemetry::Chassis;
use load::{
    admin::{self, Rate},
    config::{LoadConfig, SERVICE},
    driver,
    http::HttpTarget,
    record::{LoadMetrics, Recorder},
    summary::Summary,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

// One thread: a generator mostly waits, and leaves the rest of the machine to the system under load.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = LoadConfig::from_process();
    let common = config.common()?;
    let chassis = common.checked_chassis(SERVICE, &[], &[])?;
    let telemetry = chassis_telemetry::init(&chassis)?;

    let recorder = Arc::new(Recorder::new(LoadMetrics::new(&chassis.metrics), config.warmup));
    let rate = Rate::new(config.rate, recorder.metrics().target_rps().clone());
    let target = Arc::new(HttpTarget::new(&config.order_api, &config.user_service));
    let plan = config.plan(rate.subscribe())?;
    // Until the process ends: the metrics stay readable while the last requests finish.
    let _admin = match config.no_admin {
        true => None,
        false => Some(serve_admin(&config, &common, &chassis, rate).await?),
    };
    stop_on_signal(chassis.shutdown.clone())?;

    tracing::info!(rps = config.rate, seed = config.seed, "load starts");
    driver::run(plan, target, Arc::clone(&recorder), chassis.shutdown.clone()).await;
    tracing::info!("load ended");

    print(&Summary::of(&recorder.measured()), config.json)?;
    telemetry.shutdown();
    Ok(())
}

async fn serve_admin(
    config: &LoadConfig,
    common: &CommonConfig,
    chassis: &Chassis,
    rate: Rate,
) -> anyhow::Result<Server> {
    let address = config.admin_addr;
    let mut routes = chassis_service::admin::router(chassis, &common.faults);
    if config.concurrency.is_none() {
        routes = routes.merge(admin::routes(rate));
    }
    Server::bind(address, routes, chassis_http::settings(&common.http, chassis, "admin"))
        .await
        .with_context(|| format!("cannot open the admin port {address} (--admin-addr, --no-admin)"))
}

fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string_pretty(summary)? } else { format!("\n{summary}") };
    // A closed stdout does not fail the run.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}
