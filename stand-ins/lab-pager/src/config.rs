//! Flags and environment of `lab-pager`.

use std::{net::SocketAddr, num::NonZeroUsize};

use chassis_http::HttpConfig;
use chassis_service::{CommonConfig, PlainConfig};
use clap::Parser;

use crate::receive::LARGEST;

/// Takes the place of the phone: keeps the pages and tickets that Alertmanager sends.
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
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
}

impl PagerConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        let common = self.plain.common(self.admin_addr);
        CommonConfig { http: HttpConfig { body_limit: LARGEST, ..common.http }, ..common }
    }
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
