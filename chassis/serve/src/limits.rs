//! Settings of a port: the operator's part in [`Limits`], the program's part in [`Settings`].

use std::{fmt, sync::Arc, time::Duration};

use crate::HostName;

/// Time limits for clients, how many may wait, and the host names they may use.
#[derive(Debug, Clone, clap::Args)]
pub struct Limits {
    /// Names that requests may be addressed to (header `Host`), separated by commas: `order-api`, `*.shop.svc`. In addition to
    /// `localhost` and every IP address, which a foreign web page cannot take over. `*` disables the check.
    #[arg(long, env = "ALLOWED_HOSTS", value_name = "NAME,…", value_delimiter = ',')]
    pub allowed_hosts: Vec<HostName>,
    /// Time from the first byte of a request to the end of its headers; then the connection is closed.
    #[arg(long, env = "HEAD_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub head_timeout: Duration,
    /// Time for the body of a request to arrive; then it is answered with 408.
    #[arg(long, env = "BODY_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub body_timeout: Duration,
    /// Time in which a client must read 16 KiB of its response, or the rest of it; then the connection is closed.
    #[arg(long, env = "WRITE_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub write_timeout: Duration,
    /// Connections of a port that may wait for their client, idle or with half a request. For one more, the one that has waited longest is
    /// closed if no request arrives on it within a second; a request in progress is never cut.
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// The same for the connections of one client: one IPv4 address, or one IPv6 /64 network.
    #[arg(long, env = "MAX_CONNECTIONS_PER_CLIENT", default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_client: u32,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&time) => Ok(time),
        _ => Err(format!("`{text}` is not a time from 1ms to 1h such as 10s")),
    }
}

impl Default for Limits {
    /// The defaults of the command line.
    fn default() -> Self {
        let time = Duration::from_secs(10);
        Self {
            allowed_hosts: Vec::new(),
            head_timeout: time,
            body_timeout: time,
            write_timeout: time,
            max_connections: 1024,
            max_connections_per_client: 256,
        }
    }
}

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge, as used by gRPC.
    Http2,
}

/// A client that was refused before the program got its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Refusal {
    /// The request names a host that is not this program.
    WrongHost,
    /// The request would change something and is from another site.
    CrossOrigin,
    /// The headers did not arrive in time.
    SlowHead,
    /// The body did not arrive in time.
    SlowBody,
    /// The response was not read in time.
    SlowRead,
    /// It had waited longest when there were too many.
    Crowded,
}

impl Refusal {
    /// All, in the order of the metric.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// The name as a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Called on each refusal, inline, so it must not block.
pub type OnRefusal = Arc<dyn Fn(Refusal) + Send + Sync>;

/// How one port serves.
#[derive(Clone)]
pub struct Settings {
    /// The operator's part.
    pub limits: Limits,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// The protocol.
    pub protocol: Protocol,
    /// Called on each refusal.
    pub on_refusal: OnRefusal,
}

impl Settings {
    /// HTTP/1.1, without a refusal hook.
    #[must_use]
    pub fn new(limits: &Limits, body_limit: usize) -> Self {
        Self { limits: limits.clone(), body_limit, protocol: Protocol::Http1, on_refusal: Arc::new(|_| {}) }
    }

    /// Calls `hook` on each refusal.
    #[must_use]
    pub fn telling(mut self, hook: impl Fn(Refusal) + Send + Sync + 'static) -> Self {
        self.on_refusal = Arc::new(hook);
        self
    }

    /// Speaks `protocol`.
    #[must_use]
    pub const fn speaking(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("limits", &self.limits)
            .field("body_limit", &self.body_limit)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        limits: Limits,
    }

    #[test]
    fn the_defaults_are_those_of_the_command_line() {
        let parsed = Program::try_parse_from(["program"]).map(|program| program.limits).expect("defaults");
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Limits::default()));
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_is_valid() {
        for (argument, said) in [
            ("--head-timeout=0s", "1ms to 1h"),
            ("--body-timeout=soon", "1ms to 1h"),
            ("--max-connections=0", "1..=1000000"),
            ("--allowed-hosts=http://a", "name of a host"),
        ] {
            let error = Program::try_parse_from(["program", argument]).err().expect(argument).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
