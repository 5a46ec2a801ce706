//! An object store for one machine: the calls of S3 that backups, state files and attachments need, over a folder.
//!
//! * [`api`] -- the calls, as S3 answers them. Each is signed, or refused.
//! * [`auth`] -- Signature Version 4, in a header or in the URL; no I/O, no clock.
//! * [`store`] -- buckets and objects in files. What was acknowledged survives SIGKILL.
//! * [`faults`], [`metrics`], [`config`] -- the process.

pub mod api;
pub mod auth;
pub mod config;
pub mod error;
pub mod faults;
mod life;
pub mod metrics;
pub mod store;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use chassis_serve::Protocol;
use chassis_service::{App, Chassis, Port, ServiceInfo};
use chrono::Utc;

pub use life::live;

use crate::{
    api::{Api, S3},
    config::ObjectsConfig,
    faults::ObjectFaults,
    metrics::ObjectMetrics,
    store::Store,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "lab-objects", version: env!("CARGO_PKG_VERSION") };

/// Name of its port, for [`chassis_service::lifecycle::Running::port`].
pub const PORT: &str = "s3";

/// Reads the folder and assembles the store. Ready means: running, since the folder has been read by then.
///
/// # Errors
/// When the folder cannot be created, or what is in it cannot be read.
pub fn build(config: &ObjectsConfig, chassis: Chassis) -> anyhow::Result<App> {
    let named = || format!("OBJECTS_DIR: {}", config.folder.display());
    let store = Arc::new(Store::open(&config.folder, config.quota).with_context(named)?);
    for bucket in &config.buckets {
        store
            .ensure_bucket(bucket)
            .map_err(|error| anyhow::anyhow!("OBJECTS_BUCKETS: `{bucket}`: {error}"))?;
    }
    let metrics = ObjectMetrics::register(&chassis.metrics);
    metrics.measure(&chassis.metrics, &store);
    sweep(&store, config.day, &chassis);
    let faults = ObjectFaults::new(&chassis.faults);
    let api = Api::new(S3 { store, keys: config.keys(), faults, metrics });
    Ok(App::new(&config.common(), chassis).listening(Port {
        name: PORT,
        variable: "S3_ADDR",
        address: config.s3_addr,
        protocol: Protocol::Http1,
        routes: api.router(),
    }))
}

/// Applies the lifecycle rules of all buckets, now and 24 times each `day`, until the process stops.
fn sweep(store: &Arc<Store>, day: Duration, chassis: &Chassis) {
    let (turns, stop) = (turn_after_turn(Arc::clone(store), day), chassis.shutdown.clone());
    chassis.spawn(async move {
        stop.run_until_cancelled_owned(turns).await;
    });
}

async fn turn_after_turn(store: Arc<Store>, day: Duration) {
    let mut turns = tokio::time::interval((day / 24).max(Duration::from_millis(100)));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let store = Arc::clone(&store);
        let removed = tokio::task::spawn_blocking(move || store.expire(Utc::now(), day)).await;
        match removed {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "lifecycle rules applied"),
            Ok(Err(error)) => tracing::error!(%error, "lifecycle rules cannot be applied"),
            Err(error) => tracing::error!(%error, "lifecycle rules cannot be applied"),
        }
    }
}
