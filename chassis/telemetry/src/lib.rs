//! Logs, metrics and traces of one process, the faults that distort them, and the context [`Chassis`] that components get.

pub mod catalogue;
mod config;
mod context;
pub mod faults;
pub mod lines;
mod logs;
pub mod metrics;
pub mod panics;
pub mod resource;
pub mod traces;

use std::{io::Write, time::Duration};

use chassis_core::config::Invalid;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub use config::TelemetryConfig;
pub use context::Chassis;

/// Time that the last export may take when the process stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the exporters alive; flushes them when `shutdown` is called.
pub struct TelemetryGuard {
    provider: SdkTracerProvider,
}

impl TelemetryGuard {
    /// Sends the spans that are still buffered.
    pub fn flush(&self) {
        let _ = self.provider.force_flush();
    }

    /// Sends what is still buffered, within two seconds.
    pub fn shutdown(self) {
        let _ = self.provider.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

/// Installs the process-wide log subscriber and tracer provider for `chassis`'s service.
///
/// Called once, by `main`, before anything logs. A test that wants spans calls it for one of its services and gets the spans
/// of all services that run in the test's process.
///
/// # Errors
/// If the exporter cannot be built, the log filter is invalid, or a subscriber is already installed.
pub fn init(chassis: &Chassis) -> anyhow::Result<TelemetryGuard> {
    init_with(chassis, Box::new(std::io::stdout()))
}

/// As [`init`], with the log lines on `out`.
///
/// # Errors
/// As [`init`].
pub fn init_with(chassis: &Chassis, out: Box<dyn Write + Send>) -> anyhow::Result<TelemetryGuard> {
    let (provider, tracer) = traces::provider(chassis)?;
    // The SDK reports a missing backend at every batch; `traces_dropped_total` shows it better.
    let filter = EnvFilter::builder().parse(format!(
        "opentelemetry=off,opentelemetry_sdk=off,opentelemetry_otlp=off,{}",
        chassis.telemetry.log_level
    ));
    let filter = filter.map_err(|error| {
        Invalid::new("LOG_LEVEL", format_args!("`{}`: {error}", chassis.telemetry.log_level))
    })?;
    // Spans exist at info whatever the log level is: a quieter log must not thin out the traces.
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(spans)
        .with(logs::Lines::new(chassis, out).with_filter(filter))
        .try_init()?;
    panics::install();
    Ok(TelemetryGuard { provider })
}
