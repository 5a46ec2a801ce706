//! Flags and environment of order-api.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use chassis_kafka::{Command, KafkaConfig};
use chassis_postgres::DbConfig;
use chassis_service::CommonConfig;
use contracts::orders::Track;

/// Default public address.
pub const PUBLIC_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8001);
/// Default admin address.
pub const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9101);

/// Accepts orders and hands them to order-worker. Public port 127.0.0.1:8001 and admin port 127.0.0.1:9101 by default.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "order-api", version)]
pub struct OrderApiConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
    /// The database `orders`.
    #[command(flatten)]
    pub database: DbConfig,
    /// The broker.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// Base URL of user-service, which checks that the user of an order exists.
    #[arg(long, env = "USER_SERVICE_URL", default_value = "http://127.0.0.1:8002", value_name = "URL")]
    pub user_service_url: url::Url,
    /// Longest time for a check of a user, including retries.
    #[arg(long, env = "USER_SERVICE_TIMEOUT", default_value = "1s", value_parser = humantime::parse_duration)]
    pub user_service_timeout: Duration,
    /// Concurrent calls to user-service at most; more are refused.
    #[arg(long, env = "USER_SERVICE_MAX_CONCURRENT", default_value_t = 64)]
    pub user_service_max_concurrent: usize,
    /// Time after which a published but unsettled order is published again; doubles each time, up to eight times this value.
    #[arg(long, env = "OUTBOX_OVERDUE", default_value = "15s", value_parser = humantime::parse_duration)]
    pub outbox_overdue: Duration,
    /// Which of the two versions that a release compares this instance is: `baseline` or `canary`. Each of its orders says so,
    /// so that what is found about them counts for that version. Absent: neither of them.
    #[arg(long, env = "RELEASE_TRACK", value_parser = track, value_name = "TRACK")]
    pub release_track: Option<Track>,
    /// What to do; by default, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

fn track(text: &str) -> Result<Track, String> {
    text.parse().map_err(|_| "expected `baseline` or `canary`".to_owned())
}

impl OrderApiConfig {
    /// Reads the process's flags and environment; on bad input prints the problem and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse::<Self>().with_default_addresses()
    }

    /// Sets the addresses of this service, unless they are configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr.get_or_insert(PUBLIC_ADDR);
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }
}
