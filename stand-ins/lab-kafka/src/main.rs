//! The broker of local mode, in a separate process: killing it is a total outage of Kafka with the loss of its log.
//!
//! The README of this crate, which is also the text of `--help`, says what it can and cannot do.

use std::process::ExitCode;

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

mod admin;
mod cluster;
mod config;
mod forward;

use cluster::Cluster;
use config::Config;

/// Largest body of a request to the admin port, which needs none.
const LARGEST: usize = 1024;

fn main() -> ExitCode {
    let config = chassis_core::config::parse::<Config>();
    tracing_subscriber::fmt().json().flatten_event(true).init();
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            ExitCode::FAILURE
        }
    }
}

// One thread is enough for bootstrap traffic; the cluster has its own threads.
#[tokio::main(flavor = "current_thread")]
async fn run(config: &Config) -> anyhow::Result<()> {
    let listener = bind(config.listen).await?;
    let cluster = Cluster::start(config.brokers, &config.topics)?;
    let settings = chassis_serve::Settings::new(&config.limits, LARGEST);
    let admin = chassis_serve::whole_requests(admin::router(cluster.clone()));
    // Serves until it is dropped.
    let admin = chassis_serve::Server::bind(config.admin_addr, admin, settings).await?;
    let (kafka_addr, admin_addr) = (listener.local_addr()?, admin.address);
    tracing::info!(%kafka_addr, %admin_addr, brokers = config.brokers, "serving");

    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        () = forward::serve(listener, cluster) => {}
        _ = term.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    tracing::info!("stopped");
    Ok(())
}

async fn bind(addr: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))
}
