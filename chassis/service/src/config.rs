//! The configuration of every program; each part is read by the crate that declares it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chassis_core::{ServiceInfo, config::byte_size};
use chassis_faults::{Attribute, Catalogue, FaultsConfig};
use chassis_http::HttpConfig;
use chassis_serve::Limits;
use chassis_telemetry::{Chassis, LogConfig, TelemetryConfig, data::DataConfig};

use crate::{place::Place, start};

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
    /// Memory that this process should stay below, for `process_memory_usage_percent`; a container's own limit is found by itself.
    // `None` leaves the gauges of `chassis_telemetry::resource` out.
    #[arg(long, env = "MEMORY_LIMIT", default_value = "256MiB", value_parser = byte_size)]
    pub memory_limit: Option<u64>,
    /// Folders whose file systems `disk_usage_percent` covers, separated by `:`; those of the root, of the working folder and of
    /// `DATA_DIR` always are.
    #[arg(long, env = "DATA_FOLDERS", value_name = "PATH:…", value_delimiter = ':')]
    pub data_folders: Vec<PathBuf>,
    /// Files of its own.
    #[command(flatten)]
    pub data: DataConfig,
}

/// The configuration of a program that nobody breaks: it has an admin port, but no switches, no spans and no layers on its ports.
#[derive(Debug, Clone, clap::Args)]
pub struct PlainConfig {
    /// What is asked of clients.
    #[command(flatten)]
    pub limits: Limits,
    /// The log.
    #[command(flatten)]
    pub log: LogConfig,
}

/// Longest time that a plain program takes to stop.
const PLAIN_DRAIN: Duration = Duration::from_secs(3);

impl PlainConfig {
    /// As the life cycle reads it, with the admin port at `admin`.
    #[must_use]
    pub fn common(&self, admin: SocketAddr) -> CommonConfig {
        CommonConfig {
            admin_addr: Some(admin),
            public_addr: None,
            telemetry: TelemetryConfig::only(self.log.clone()),
            http: HttpConfig::new(self.limits.clone()),
            drain_timeout: PLAIN_DRAIN,
            drain_delay: Duration::ZERO,
            faults: FaultsConfig::off(),
            memory_limit: None,
            data_folders: Vec::new(),
            data: DataConfig::none(),
        }
    }
}

impl CommonConfig {
    /// The context of one service that declares `catalogue` as its fault points, and `subject` as what plans may select by.
    #[must_use]
    pub fn chassis(
        &self,
        service: ServiceInfo,
        catalogue: Catalogue,
        subject: &'static [Attribute],
    ) -> Chassis {
        Chassis::new(service, self.telemetry.clone(), catalogue, subject, self.faults.faults_reveal)
    }

    /// As [`CommonConfig::chassis`], for `main`: checks, before anything is connected, what needs the catalogue or the disk.
    ///
    /// # Errors
    /// [`chassis_core::config::Invalid`], naming the wrong entry of `FAULTS_AT_START` or `PROTECTIONS_OFF`, or a `DATA_DIR`
    /// that cannot be created.
    pub fn checked_chassis(
        &self,
        service: ServiceInfo,
        catalogue: Catalogue,
        subject: &'static [Attribute],
    ) -> anyhow::Result<Chassis> {
        let chassis = self.chassis(service, catalogue, subject);
        start::check(&chassis, &self.faults)?;
        Place::of(&chassis, &self.data, self.admin_addr)?;
        Ok(chassis)
    }
}

#[cfg(test)]
mod tests {
    use chassis_core::config::Invalid;
    use chassis_faults::protection::Protection;
    use clap::Parser;

    use super::*;
    use crate::catalogue::CPU_BURN;

    #[derive(Parser)]
    struct Service {
        #[command(flatten)]
        common: CommonConfig,
    }

    #[derive(Parser)]
    struct Plain {
        #[command(flatten)]
        plain: PlainConfig,
    }

    #[test]
    fn a_plain_program_asks_of_its_clients_what_a_service_asks_and_has_nothing_to_switch() {
        let service = Service::try_parse_from(["service"]).unwrap_or_else(|error| panic!("{error}")).common;
        let plain = Plain::try_parse_from(["plain"]).unwrap_or_else(|error| panic!("{error}")).plain;
        let plain = plain.common(SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!(format!("{:?}", plain.http), format!("{:?}", service.http));
        assert_eq!(format!("{:?}", plain.telemetry), format!("{:?}", service.telemetry));
        assert!(!plain.faults.faults_enabled && service.faults.faults_enabled);
        assert!(plain.memory_limit.is_none() && service.memory_limit.is_some());
    }

    #[test]
    fn what_is_on_from_the_start_is_checked_at_once_and_not_on_before_the_program_runs() {
        const POINTS: Catalogue = &[&CPU_BURN];
        let chassis = |flags: &[&str]| {
            let arguments = ["service"].iter().chain(flags);
            let service = Service::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
            let info = ServiceInfo { name: "service", version: "1" };
            service.common.checked_chassis(info, POINTS, &[])
        };
        let ready = chassis(&["--faults-at-start=cpu-burn?threads=1", "--protections-off=timeout"]).unwrap();
        assert!(!ready.faults.point(&CPU_BURN).is_on() && ready.protections.on(Protection::Timeout));
        for (flag, named) in [
            ("--faults-at-start=cpu-burn?threads=many", "FAULTS_AT_START: `cpu-burn?threads=many`"),
            ("--protections-off=belt", "PROTECTIONS_OFF"),
        ] {
            let error = chassis(&[flag]).err().expect("refused");
            assert!(error.is::<Invalid>() && error.to_string().starts_with(named), "{error:#}");
        }
    }
}
