//! Flags and environment of the edge.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chassis_service::CommonConfig;
use clap::builder::RangedI64ValueParser;

use crate::adapters::{Files, FirewallConfig};

/// Default public address.
pub const PUBLIC_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
/// Default admin address.
pub const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9100);

/// Reverse proxy in front of the services. Public port 127.0.0.1:8000 and admin port 127.0.0.1:9100 by
/// default.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "edge", version)]
pub struct EdgeConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
    /// A second public address, which the other edges of this user bind too (SO_REUSEPORT): the kernel spreads
    /// connections over all of them.
    #[arg(long, env = "EDGE_SHARED_ADDR", value_name = "HOST:PORT")]
    pub edge_shared_addr: Option<SocketAddr>,
    /// File with the routes, read again when it changes. Absent: the routes of the lab, with the services on
    /// this machine.
    #[arg(long, env = "EDGE_ROUTES", value_name = "PATH")]
    pub edge_routes: Option<PathBuf>,
    /// Folder or file with the firewall's rules, read again when it changes. Absent: the rules of the lab.
    #[arg(long, env = "WAF_RULES", value_name = "PATH")]
    pub waf_rules: Option<PathBuf>,
    /// How often files are looked at.
    #[arg(long, env = "RELOAD_EVERY", default_value = "1s", value_name = "TIME", value_parser = often)]
    pub reload_every: Duration,
    /// For how long after its start it answers 503 instead of 502 or 504 for an upstream that has never answered it: the upstream is
    /// starting, too. 0s: never.
    #[arg(long, env = "STARTUP_GRACE", default_value = "0s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub startup_grace: Duration,
    /// Whether the firewall is on from the start.
    #[arg(long, env = "WAF_ENABLED", default_value_t = true, action = clap::ArgAction::Set)]
    pub waf_enabled: bool,
    /// Threads of the firewall, in addition to those that answer requests.
    #[arg(long, env = "WAF_THREADS", default_value_t = 2, value_name = "N", value_parser = few())]
    pub waf_threads: u32,
    /// Requests that may wait for a thread of the firewall; further ones are answered with 502.
    #[arg(long, env = "WAF_QUEUE", default_value_t = 1024, value_name = "N", value_parser = many())]
    pub waf_queue: u32,
    /// Longest wait for a verdict of the firewall; then a request is answered with 502.
    #[arg(long, env = "WAF_PATIENCE", default_value = "500ms", value_name = "TIME", value_parser = time)]
    pub waf_patience: Duration,
    /// Steps that all rules together may take for one request, unless the protection `regex-guard` is off.
    #[arg(long, env = "WAF_BUDGET", default_value_t = 1_000_000, value_name = "STEPS")]
    pub waf_budget: u64,
    /// What to do; by default, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else the program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Command {
    /// Read the files with routes and rules, try the cases of each rule, print what is wrong, and exit with 1 if
    /// anything is.
    Check,
}

/// A number of threads.
fn few() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=64)
}

/// A number of requests.
fn many() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=100_000)
}

/// A time that a request may wait.
fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&time) => Ok(time),
        _ => Err(format!("`{text}` is not a time from 1ms to 1m such as 500ms")),
    }
}

/// A time that a loop may wait.
fn often(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (Duration::from_millis(10)..=Duration::from_secs(3600)).contains(&time) => Ok(time),
        _ => Err(format!("`{text}` is not a time from 10ms to 1h such as 1s")),
    }
}

impl EdgeConfig {
    /// Reads the process's flags and environment; on bad input prints the problem and ends the process with
    /// 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse::<Self>().with_default_addresses()
    }

    /// Sets the addresses of this program, unless they are configured.
    #[must_use]
    pub fn with_default_addresses(mut self) -> Self {
        self.common.public_addr.get_or_insert(PUBLIC_ADDR);
        self.common.admin_addr.get_or_insert(ADMIN_ADDR);
        self
    }

    /// Where its files are.
    #[must_use]
    pub fn files(&self) -> Files {
        Files::new(self.edge_routes.clone(), self.waf_rules.clone())
    }

    /// Settings of the firewall.
    #[must_use]
    pub const fn firewall(&self) -> FirewallConfig {
        FirewallConfig {
            enabled: self.waf_enabled,
            threads: self.waf_threads as usize,
            queue: self.waf_queue as usize,
            budget: self.waf_budget,
            patience: self.waf_patience,
        }
    }
}
