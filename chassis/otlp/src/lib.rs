//! The spans of a process: every span is sampled, counted and sent to an OTLP receiver. What carries a trace from process to
//! process, the W3C headers, is in `chassis_telemetry::traces`.
//!
//! Separate from the logs: a program that makes no spans installs `chassis_telemetry::init` and links no exporter.

mod export;

use std::{io::Write, time::Duration};

use chassis_telemetry::{Chassis, Out};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{Layer as _, filter::LevelFilter};

/// Time that the last export may take when the process stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the exporter alive; sends what is left when `shutdown` is called.
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
/// When the exporter cannot be built, the log filter cannot be read, or a subscriber is already installed.
pub fn init(chassis: &Chassis) -> anyhow::Result<TelemetryGuard> {
    start(chassis, Out::stdout())
}

/// As [`init`], with the log lines on `out`.
///
/// # Errors
/// As [`init`].
pub fn init_with(chassis: &Chassis, out: Box<dyn Write + Send>) -> anyhow::Result<TelemetryGuard> {
    start(chassis, Out::to(out))
}

fn start(chassis: &Chassis, out: Out) -> anyhow::Result<TelemetryGuard> {
    let (provider, tracer) = export::provider(chassis)?;
    // Spans exist at info whatever the log level is: a quieter log must not thin out the traces.
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(LevelFilter::INFO);
    chassis_telemetry::install(chassis, out, Some(spans))?;
    Ok(TelemetryGuard { provider })
}
