//! What `lab-pager` can be told, from flags and environment.

use std::{net::SocketAddr, num::NonZeroUsize};

use clap::Parser;

/// Takes the place of the phone: keeps the pages and tickets that Alertmanager sends.
///
/// POST /webhook takes Alertmanager's webhook (version 4), POST /slack the message of a Slack incoming webhook. GET /pages has
/// them as JSON, oldest first. Everything is in memory and gone when the process ends.
#[derive(Debug, Clone, Parser)]
#[command(name = "lab-pager", version)]
pub struct PagerConfig {
    /// Address of the only port: /webhook /slack /pages /livez /readyz /metrics /version.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9108", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Pages that are kept, 1 to 100000; the oldest go first.
    #[arg(long, env = "PAGER_KEEP", default_value = "1000", value_name = "N", value_parser = keep)]
    pub keep: NonZeroUsize,
    /// What is asked of clients.
    #[command(flatten)]
    pub limits: chassis_serve::Limits,
    /// Log filter.
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
    fn a_wrong_number_of_pages_is_refused_with_what_would_be_right() {
        assert_eq!(keep("1000").map(NonZeroUsize::get), Ok(1000));
        for text in ["0", "100001", "-1", "many", ""] {
            assert!(keep(text).unwrap_err().contains("1 to 100000"), "{text}");
        }
    }
}
