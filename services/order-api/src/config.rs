//! What order-api can be told, from flags and environment.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use chassis_kafka::{Command, KafkaConfig};
use chassis_postgres::DbConfig;
use chassis_service::CommonConfig;

/// Public address when none is configured.
pub const PUBLIC_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8001);
/// Admin address when none is configured.
pub const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9101);

/// Accepts orders and hands them to order-worker. Public port 127.0.0.1:8001 and admin port 127.0.0.1:9101 by default.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "order-api", version)]
pub struct OrderApiConfig {
    /// What all services share.
    #[command(flatten)]
    pub common: CommonConfig,
    /// The database `orders`.
    #[command(flatten)]
    pub database: DbConfig,
    /// The broker.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// Base URL of user-service, which knows who may order.
    #[arg(long, env = "USER_SERVICE_URL", default_value = "http://127.0.0.1:8002", value_name = "URL")]
    pub user_service_url: url::Url,
    /// Time that asking user-service may take, retries included.
    #[arg(long, env = "USER_SERVICE_TIMEOUT", default_value = "1s", value_parser = humantime::parse_duration)]
    pub user_service_timeout: Duration,
    /// Calls to user-service that run at once; more are refused.
    #[arg(long, env = "USER_SERVICE_MAX_CONCURRENT", default_value_t = 64)]
    pub user_service_max_concurrent: usize,
    /// Time after which an order that was published but not settled is published again; doubles each time, up to eight times as much.
    #[arg(long, env = "OUTBOX_OVERDUE", default_value = "15s", value_parser = humantime::parse_duration)]
    pub outbox_overdue: Duration,
    /// What to do; without one: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl OrderApiConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse::<Self>().with_default_addresses()
    }

    /// Fills in the addresses of this service where none is configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr.get_or_insert(PUBLIC_ADDR);
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }
}
