//! The broker of local mode: librdkafka's mock cluster behind one constant port. Killing its process is a total outage of Kafka
//! with loss of its log.
//!
//! * [`cluster`] -- the mock cluster and the thread that owns it.
//! * [`forward`] -- the constant port, which leads to a broker that is up.
//! * [`admin`], [`metrics`], [`config`] -- the process.

pub mod admin;
pub mod cluster;
pub mod config;
pub mod forward;
mod life;
pub mod metrics;

use anyhow::Context;
use chassis_service::{App, Chassis, ServiceInfo};
use futures::FutureExt as _;
use tokio::net::TcpListener;

pub use life::live;

use crate::{cluster::Cluster, config::KafkaConfig};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "lab-kafka", version: env!("CARGO_PKG_VERSION") };

/// Starts the cluster and the port that leads to it. Ready means: a broker is up.
///
/// # Errors
/// When the port cannot be bound (the message names it) or librdkafka refuses.
pub async fn build(config: &KafkaConfig, chassis: Chassis) -> anyhow::Result<App> {
    let named = || format!("KAFKA_ADDR: cannot listen on {}", config.listen);
    let listener = TcpListener::bind(config.listen).await.with_context(named)?;
    let cluster = Cluster::start(config.brokers, &config.topics)?;
    tracing::info!(kafka = %listener.local_addr()?, brokers = config.brokers, "brokers started");

    metrics::register(&chassis.metrics, &cluster);
    let asked = cluster.clone();
    chassis.readiness.check("brokers", move || std::future::ready(asked.ready()).boxed());
    let forwarding = forward::serve(listener, cluster.clone());
    let stop = chassis.shutdown.clone();
    chassis.spawn(async move {
        stop.run_until_cancelled_owned(forwarding).await;
    });
    Ok(App::new(&config.common(), chassis).administering(admin::router(cluster), admin::PATHS))
}
