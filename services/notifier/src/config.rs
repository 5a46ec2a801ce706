//! Flags and environment of the notifier.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use chassis_kafka::KafkaConfig;
use chassis_service::CommonConfig;
use secrecy::SecretString;
use url::Url;

/// Default admin address. There is no public port.
pub const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9112);

/// Longest visibility timeout that SQS takes.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Tells customers what became of their orders, through queues of SQS. Admin port 127.0.0.1:9112 by default, no public port.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "notifier", version)]
pub struct NotifierConfig {
    /// The flags of all services.
    #[command(flatten)]
    pub common: CommonConfig,
    /// The broker.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// URL of SQS, such as that of `lab up --cloud`; without TLS.
    #[arg(long, env = "SQS_ENDPOINT", default_value = "http://127.0.0.1:4566", value_name = "URL", value_parser = endpoint)]
    pub sqs_endpoint: Url,
    /// Region that requests are signed for.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1", value_name = "NAME")]
    pub region: String,
    /// Access key id that requests are signed with; emulators take any.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", default_value = "lab", value_name = "ID")]
    pub access_key_id: String,
    /// Secret of the access key.
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        default_value = "lab",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub secret_access_key: SecretString,
    /// Time that a delivery may take; then the notification is tried again. Whole seconds, 1s to 12h.
    #[arg(long, env = "NOTIFY_VISIBILITY", default_value = "10s", value_parser = visibility)]
    pub visibility: Duration,
    /// Times that a delivery is tried, 1 to 1000; then the notification goes to the dead-letter queue.
    #[arg(long, env = "NOTIFY_ATTEMPTS", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub attempts: u16,
    /// What to do; by default, work.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Extra commands of the notifier.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Put notifications of the dead-letter queue back into the queue they came from, and print how many were moved.
    Redrive {
        /// Move at most this many notifications.
        #[arg(long, default_value_t = 1000, value_name = "N")]
        limit: u64,
    },
}

impl NotifierConfig {
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

fn endpoint(text: &str) -> Result<Url, String> {
    let plain = |url: &Url| {
        url.scheme() == "http"
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(plain).ok_or_else(|| {
        "expected http://host:port, without a path and a log-in: the lab has no TLS".to_owned()
    })
}

fn visibility(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.subsec_nanos() == 0 && (Duration::from_secs(1)..=LONGEST).contains(&time) => {
            Ok(time)
        }
        _ => Err("expected whole seconds from 1s to 12h, such as 10s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        NotifierConfig::command().debug_assert();
    }

    #[test]
    fn an_endpoint_has_nothing_that_would_be_ignored() {
        assert_eq!(endpoint("http://sqs.example:4566").unwrap().as_str(), "http://sqs.example:4566/");
        for text in ["sqs:4566", "https://sqs", "http://u@sqs", "http://sqs/000/q", "http://sqs?x=1"] {
            assert!(
                endpoint(text).is_err_and(|error| error.starts_with("expected http://host:port")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_visibility_is_whole_seconds() {
        assert_eq!(visibility("10s"), Ok(Duration::from_secs(10)));
        for text in ["0s", "1500ms", "13h", "soon"] {
            assert!(visibility(text).is_err(), "{text}");
        }
    }
}
