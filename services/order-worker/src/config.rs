//! Flags and environment of order-worker.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use chassis_kafka::{Command, KafkaConfig};
use chassis_postgres::DbConfig;
use chassis_service::CommonConfig;

/// Default admin address. There is no public port.
pub const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9103);

/// Consumes accepted orders, takes payment and publishes outcomes. Admin port 127.0.0.1:9103 by default, no public port.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "order-worker", version)]
pub struct OrderWorkerConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
    /// The database `fulfillment`.
    #[command(flatten)]
    pub database: DbConfig,
    /// The broker.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// What to do; by default, work.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl OrderWorkerConfig {
    /// Reads the process's flags and environment; on bad input prints the problem and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse::<Self>().with_default_addresses()
    }

    /// Sets the addresses of this service, unless they are configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr = None;
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }
}
