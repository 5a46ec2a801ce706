//! Flags and environment of every service; each part is read by the crate that declares it.

use std::{net::SocketAddr, time::Duration};

use chassis_core::{ServiceInfo, config::byte_size};
use chassis_faults::{Attribute, FaultSpec, FaultsConfig};
use chassis_http::HttpConfig;
use chassis_telemetry::{Chassis, TelemetryConfig};

use crate::start;

/// Flags and environment of every service.
#[derive(Debug, Clone, clap::Args)]
pub struct CommonConfig {
    /// Address of the admin port: health, metrics, faults, protections, version. Absent: a free port on loopback.
    #[arg(long, env = "ADMIN_ADDR", value_name = "HOST:PORT")]
    pub admin_addr: Option<SocketAddr>,
    /// Address of the public port. Absent: a free port on loopback.
    #[arg(long, env = "PUBLIC_ADDR", value_name = "HOST:PORT")]
    pub public_addr: Option<SocketAddr>,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// The public port.
    #[command(flatten)]
    pub http: HttpConfig,
    /// Longest time that a shutdown waits for requests and tasks in progress, for example `30s`.
    #[arg(long, env = "DRAIN_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// Time between turning unready and refusing connections, so that a load balancer notices first; meanwhile each response closes
    /// its connection. Connections that still arrive after it are served for up to half of `DRAIN_TIMEOUT`.
    #[arg(long, env = "DRAIN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,
    /// Faults and protections.
    #[command(flatten)]
    pub faults: FaultsConfig,
    /// Memory that this process should stay below, for `memory_usage_percent`; a container's limit takes precedence and is detected.
    #[arg(long, env = "MEMORY_LIMIT", default_value = "256MiB", value_parser = byte_size)]
    pub memory_limit: u64,
}

impl CommonConfig {
    /// The context of one service that declares `catalogue` as its fault points, and `subject` as what plans may select by.
    #[must_use]
    pub fn chassis(
        &self,
        service: ServiceInfo,
        catalogue: &'static [&'static FaultSpec],
        subject: &'static [Attribute],
    ) -> Chassis {
        Chassis::new(service, self.telemetry.clone(), catalogue, subject, self.faults.faults_reveal)
    }

    /// As [`CommonConfig::chassis`], for `main`: checks, before anything is connected, what needs the catalogue.
    ///
    /// # Errors
    /// [`chassis_core::config::Invalid`], naming the wrong entry of `FAULTS_AT_START` or `PROTECTIONS_OFF`.
    pub fn checked_chassis(
        &self,
        service: ServiceInfo,
        catalogue: &'static [&'static FaultSpec],
        subject: &'static [Attribute],
    ) -> anyhow::Result<Chassis> {
        let chassis = self.chassis(service, catalogue, subject);
        start::configure(&chassis, &self.faults)?;
        Ok(chassis)
    }
}
