//! Flags and environment of `load probe`.

use std::{net::SocketAddr, time::Duration};

use chassis_service::{CommonConfig, PlainConfig, ServiceInfo};
use clap::Parser;
use http::Uri;

use crate::start::StartConfig;

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "probe", version: env!("CARGO_PKG_VERSION") };

/// Try what users do through the edge, and attacks that its firewall has to block, every few seconds
#[derive(Debug, Clone, Parser)]
#[command(name = "load probe")]
pub struct ProbeConfig {
    /// Base URL of the edge.
    #[arg(long, env = "PROBE_URL", default_value = "http://127.0.0.1:8000", value_parser = crate::http::base_url)]
    pub url: Uri,
    /// Base URL of a staging edge, which gets the attacks instead.
    #[arg(long, env = "PROBE_STAGING_URL", value_parser = crate::http::base_url)]
    pub staging_url: Option<Uri>,
    /// Time from one journey to the next, 1s to 10s: after 30s without a success, an alert fires.
    #[arg(long, env = "PROBE_EVERY", default_value = "5s", value_parser = often)]
    pub every: Duration,
    /// Time from one round of attacks to the next, 1s to 1h. On the lab's clock, five minutes are 5s.
    #[arg(long, env = "PROBE_FIREWALL_EVERY", default_value = "5m", value_parser = period)]
    pub firewall_every: Duration,
    /// Longest time for one request, 1s to 1h.
    #[arg(long, env = "PROBE_TIMEOUT", default_value = "4s", value_parser = period)]
    pub timeout: Duration,
    /// Longest time until an order is settled, 1s to 1h.
    #[arg(long, env = "PROBE_SETTLE_TIMEOUT", default_value = "10s", value_parser = period)]
    pub settle_timeout: Duration,
    /// Whether to wait for the shop.
    #[command(flatten)]
    pub start: StartConfig,
    /// Address of the admin port: /livez /readyz /metrics /probes.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9108", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
}

impl ProbeConfig {
    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        self.plain.common(self.admin_addr)
    }
}

fn period(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(period) if (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&period) => Ok(period),
        _ => Err(format!("`{text}` is not a time from 1s to 1h, such as 5s")),
    }
}

fn often(text: &str) -> Result<Duration, String> {
    match period(text) {
        Ok(period) if period <= Duration::from_secs(10) => Ok(period),
        _ => Err(format!("`{text}` is not a time from 1s to 10s, such as 5s")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        ProbeConfig::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused_with_what_would_be_right() {
        for (flag, value, said) in [
            ("--every", "0s", "1s to 10s"),
            ("--every", "1m", "1s to 10s"),
            ("--firewall-every", "2h", "1s to 1h"),
            ("--timeout", "soon", "1s to 1h"),
            ("--url", "https://x", "a proxy that does"),
            ("--staging-url", "8000", "base URL"),
        ] {
            let argument = format!("{flag}={value}");
            let error = ProbeConfig::try_parse_from(["probe", &argument]).unwrap_err().to_string();
            assert!(error.contains(said), "{argument}: {error}");
        }
    }
}
