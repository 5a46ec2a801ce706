//! Flags and environment of logs and traces.

use chassis_core::config::ratio;

/// Log format and level, and export of traces.
#[derive(Debug, Clone, clap::Args)]
pub struct TelemetryConfig {
    /// Format of log lines: `json` for machines, `pretty` for terminals.
    #[arg(long, env = "LOG_FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
    pub log_format: String,
    /// Log filter in the syntax of tracing's EnvFilter, for example `debug,sqlx=warn`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// Base URL of an OTLP/HTTP receiver for traces; `/v1/traces` is appended. Absent: no traces are exported.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<url::Url>,
    /// Share of new traces that are sampled, 0 to 1; an incoming sampled parent is always followed.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_parser = ratio)]
    pub trace_ratio: f64,
}
