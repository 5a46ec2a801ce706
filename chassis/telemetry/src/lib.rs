//! Logs, metrics and traces of one process, the faults that distort them, and the context [`Chassis`] that components get.

pub mod catalogue;
mod config;
mod context;
pub mod data;
pub mod faults;
pub mod lines;
mod logs;
pub mod metrics;
pub mod panics;
pub mod resource;
pub mod traces;

use chassis_core::config::Invalid;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    layer::{Identity, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

pub use config::{LogConfig, TelemetryConfig};
pub use context::Chassis;
pub use logs::Out;

/// Installs the process-wide log subscriber of a program that makes no spans; one that does calls `chassis_otlp::init`.
///
/// Called once, by `main`, before anything logs.
///
/// # Errors
/// When the log filter cannot be read or a subscriber is already installed.
pub fn init(chassis: &Chassis) -> anyhow::Result<()> {
    install(chassis, Out::stdout(), None::<Identity>)
}

/// As [`init`], with the log lines on `out`, and `spans` to be told of every span.
///
/// # Errors
/// As [`init`].
pub fn install<L>(chassis: &Chassis, out: Out, spans: Option<L>) -> anyhow::Result<()>
where
    L: Layer<Registry> + Send + Sync,
{
    let level = &chassis.telemetry.log.level;
    // The SDK reports a missing backend at every batch; `traces_dropped_total` says it better. rmcp logs three
    // lines for each request.
    let filter = EnvFilter::builder()
        .parse(format!("opentelemetry=off,opentelemetry_sdk=off,opentelemetry_otlp=off,rmcp=warn,{level}"))
        .map_err(|error| Invalid::new("LOG_LEVEL", format_args!("`{level}`: {error}")))?;
    tracing_subscriber::registry()
        .with(spans)
        .with(logs::Lines::new(chassis, out).with_filter(filter))
        .try_init()?;
    panics::install();
    Ok(())
}
