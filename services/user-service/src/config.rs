//! Flags and environment of user-service.

use std::{net::SocketAddr, time::Duration};

use chassis_postgres::DbConfig;
use chassis_redis::CacheConfig;
use chassis_service::CommonConfig;
use clap::Parser;

use crate::domain::LookupPolicy;

const PUBLIC_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8002);
const ADMIN_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9102);

/// Users behind a Redis cache. Listens on 127.0.0.1:8002 (public) and 127.0.0.1:9102 (admin) by default.
#[derive(Debug, Clone, Parser)]
#[command(name = "user-service", version)]
pub struct UserServiceConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
    /// The database of users.
    #[command(flatten)]
    pub db: DbConfig,
    /// The cache in front of it.
    #[command(flatten)]
    pub cache: CacheConfig,
    /// How long a cached user counts as fresh.
    #[arg(long, env = "CACHE_TTL", default_value = "30s", value_parser = humantime::parse_duration)]
    pub cache_ttl: Duration,
    /// How long "there is no such user" is remembered.
    #[arg(long, env = "CACHE_NEGATIVE_TTL", default_value = "5s", value_parser = humantime::parse_duration)]
    pub cache_negative_ttl: Duration,
    /// How long a stale copy is kept, to be served while the database fails.
    #[arg(long, env = "CACHE_STALE_FOR", default_value = "10m", value_parser = humantime::parse_duration)]
    pub cache_stale_for: Duration,
    /// Concurrent reads of the database past a failed cache at most; below DB_POOL_SIZE, so that writes find a connection.
    #[arg(long, env = "CACHE_BYPASS_LIMIT", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub cache_bypass_limit: u32,
    /// How long such a read waits for its turn before it is refused.
    #[arg(long, env = "CACHE_BYPASS_WAIT", default_value = "250ms", value_parser = humantime::parse_duration)]
    pub cache_bypass_wait: Duration,
    /// How long reading one user from the database may take before a stale copy or an error is returned.
    #[arg(long, env = "ORIGIN_TIMEOUT", default_value = "2s", value_parser = humantime::parse_duration)]
    pub origin_timeout: Duration,
    /// Whether to create the 10,000 users that load and drills expect in an empty database.
    #[arg(long, env = "SEED_USERS", default_value_t = true, action = clap::ArgAction::Set)]
    pub seed_users: bool,
}

impl UserServiceConfig {
    /// Sets this service's own ports, unless they are configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr.get_or_insert(PUBLIC_ADDR);
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }

    /// The parameters of the lookup policy.
    #[must_use]
    pub const fn lookup_policy(&self) -> LookupPolicy {
        LookupPolicy {
            ttl: self.cache_ttl,
            negative_ttl: self.cache_negative_ttl,
            stale_for: self.cache_stale_for,
            origin_timeout: self.origin_timeout,
            bypass_limit: self.cache_bypass_limit as usize,
            bypass_wait: self.cache_bypass_wait,
        }
    }
}
