//! Flags and environment of logs and traces.

use chassis_core::config::ratio;

/// How a process logs.
#[derive(Debug, Clone, clap::Args)]
pub struct LogConfig {
    /// Log lines as `json` (machines) or `pretty` (terminals).
    #[arg(id = "log_format", long = "log-format", env = "LOG_FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
    pub format: String,
    /// Log filter, as tracing's EnvFilter reads it: `info`, `debug,sqlx=warn`.
    #[arg(id = "log_level", long = "log-level", env = "LOG_LEVEL", default_value = "info")]
    pub level: String,
}

/// How a process logs, and where its traces go.
#[derive(Debug, Clone, clap::Args)]
pub struct TelemetryConfig {
    /// The log.
    #[command(flatten)]
    pub log: LogConfig,
    /// Where traces go: base URL of an OTLP/HTTP receiver, `/v1/traces` is appended. Absent: no traces are exported.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<url::Url>,
    /// Share of new traces that are sampled, 0 to 1; an incoming sampled parent is always followed.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_parser = ratio)]
    pub trace_ratio: f64,
}

impl TelemetryConfig {
    /// Of a program that exports no traces.
    #[must_use]
    pub fn only(log: LogConfig) -> Self {
        Self { log, otlp_endpoint: None, trace_ratio: 1.0 }
    }
}
