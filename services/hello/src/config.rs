//! Flags and environment of hello.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use chassis_service::CommonConfig;
use clap::Parser;

const PUBLIC_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8020);
const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9120);

/// The smallest service. Listens on 127.0.0.1:8020 (public) and 127.0.0.1:9120 (admin) by default.
#[derive(Debug, Clone, Parser)]
#[command(name = "hello", version)]
pub struct HelloConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
}

impl HelloConfig {
    /// Sets this service's own ports, unless they are configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr.get_or_insert(PUBLIC_ADDR);
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }
}
