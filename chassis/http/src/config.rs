//! Flags and environment of the public port.

use std::time::Duration;

use chassis_core::config::byte_size;

/// Limits of requests and of clients.
#[derive(Debug, Clone, clap::Args)]
pub struct HttpConfig {
    /// Time a request may take before it is answered with 504, for example `500ms`.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,
    /// Requests handled concurrently; further ones are shed with 503 and `Retry-After`.
    #[arg(long, env = "MAX_IN_FLIGHT", default_value_t = 256)]
    pub max_in_flight: usize,
    /// Largest request body accepted, for example `256KiB`; larger ones are answered with 413.
    #[arg(long, env = "BODY_LIMIT", default_value = "64KiB", value_parser = byte_size)]
    pub body_limit: u64,
    /// Lines of the access log per second about requests that succeeded; above it, a line represents several of them. A request that
    /// failed (status 400 and above) always has a line; with 0, only those have one.
    #[arg(long, env = "ACCESS_LOG_RATE", default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub access_log_rate: u32,
    /// Limits for clients.
    #[command(flatten)]
    pub limits: chassis_serve::Limits,
}

impl HttpConfig {
    /// As the command line has it, with these limits.
    #[must_use]
    pub fn new(limits: chassis_serve::Limits) -> Self {
        Self {
            request_timeout: Duration::from_secs(5),
            max_in_flight: 256,
            body_limit: 64 << 10,
            access_log_rate: 100,
            limits,
        }
    }
}
