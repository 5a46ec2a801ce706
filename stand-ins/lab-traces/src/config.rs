//! Flags and environment of `lab-traces`.

use std::{net::SocketAddr, time::Duration};

use chassis_core::config::byte_size;
use chassis_http::HttpConfig;
use chassis_service::{CommonConfig, PlainConfig};
use clap::Parser;

use crate::receive::MAX_REQUEST;

/// Keeps traces in memory where no Jaeger is installed: OTLP in, Jaeger's query API and UI out.
///
/// Never holds more than --memory: the oldest traces are dropped first, and those with an error or a slow span last. The UI
/// is at http://127.0.0.1:16686. Traces are lost when the process ends.
#[derive(Debug, Clone, Parser)]
#[command(name = "lab-traces", version)]
pub struct TracesConfig {
    /// Address of OTLP over HTTP (POST /v1/traces, protobuf).
    #[arg(long, env = "OTLP_HTTP_ADDR", default_value = "127.0.0.1:4318", value_name = "HOST:PORT")]
    pub otlp_http_addr: SocketAddr,
    /// Address of OTLP over gRPC.
    #[arg(long, env = "OTLP_GRPC_ADDR", default_value = "127.0.0.1:4317", value_name = "HOST:PORT")]
    pub otlp_grpc_addr: SocketAddr,
    /// Address of the query API and the UI.
    #[arg(long, env = "UI_ADDR", default_value = "127.0.0.1:16686", value_name = "HOST:PORT")]
    pub ui_addr: SocketAddr,
    /// Address of the admin port: /livez /readyz /metrics /version.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9106", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Memory for traces, 1MiB to 64GiB, such as 32MiB.
    #[arg(long, env = "TRACE_MEMORY", default_value = "16MiB", value_name = "SIZE", value_parser = memory)]
    pub memory: usize,
    /// A span of at least this duration, such as 500ms, keeps its trace longer.
    #[arg(long, env = "TRACE_SLOW", default_value = "500ms", value_parser = humantime::parse_duration)]
    pub slow: Duration,
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
}

impl TracesConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        let common = self.plain.common(self.admin_addr);
        CommonConfig { http: HttpConfig { body_limit: MAX_REQUEST as u64, ..common.http }, ..common }
    }
}

fn memory(text: &str) -> Result<usize, String> {
    let bytes = byte_size(text).ok().and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.filter(|bytes| ((1 << 20)..=(64 << 30)).contains(bytes));
    bytes.ok_or_else(|| format!("`{text}` is not a size from 1MiB to 64GiB such as 32MiB"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        TracesConfig::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_and_others_refused() {
        assert_eq!(memory("32MiB"), Ok(32 << 20));
        for text in ["", "32", "32MB", "-1MiB", "100GiB", "9999999999999999GiB"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }
}
