//! Flags and environment of `lab-pager`.

use std::{net::SocketAddr, num::NonZeroUsize};

use clap::Parser;

/// A pager: keeps the pages and tickets that Alertmanager sends.
///
/// POST /webhook accepts Alertmanager's webhook (version 4), POST /slack the message of a Slack incoming webhook. GET /pages
/// returns them as JSON, oldest first. Everything is in memory and lost when the process ends.
#[derive(Debug, Clone, Parser)]
#[command(name = "lab-pager", version)]
pub struct PagerConfig {
    /// Address of its only port: /webhook /slack /pages /livez /readyz /metrics /version.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9108", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Number of pages to keep, 1 to 100000; the oldest are dropped first.
    #[arg(long, env = "PAGER_KEEP", default_value = "1000", value_name = "N", value_parser = keep)]
    pub keep: NonZeroUsize,
    /// Limits for clients.
    #[command(flatten)]
    pub limits: chassis_serve::Limits,
    /// Log filter, such as info or debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// Log lines as `json` (machines) or `pretty` (terminals).
    #[arg(long, env = "LOG_FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
    pub log_format: String,
}

fn keep(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= 100_000);
    number.ok_or_else(|| format!("`{text}` is not a whole number from 1 to 100000"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        PagerConfig::command().debug_assert();
    }

    #[test]
    fn a_wrong_number_of_pages_is_refused_with_the_valid_range() {
        assert_eq!(keep("1000").map(NonZeroUsize::get), Ok(1000));
        for text in ["0", "100001", "-1", "many", ""] {
            assert!(keep(text).unwrap_err().contains("1 to 100000"), "{text}");
        }
    }
}
