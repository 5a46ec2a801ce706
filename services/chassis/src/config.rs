//! Configuration from flags and environment, parsed once by clap; every variable stands in `--help`.

use std::{fmt, net::SocketAddr, time::Duration};

/// Exit code for bad configuration, `EX_USAGE` of sysexits(3).
pub const EXIT_USAGE: u8 = 64;

/// A variable whose value only turned out to be wrong once it was used: [`crate::lifecycle::exit_code`] makes it
/// [`EXIT_USAGE`] too.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {expected}")]
pub struct Invalid {
    variable: &'static str,
    expected: String,
}

impl Invalid {
    /// `expected` says what is wrong with the value and what would be right.
    pub fn new(variable: &'static str, expected: impl fmt::Display) -> Self {
        Self { variable, expected: expected.to_string() }
    }
}

/// What every service can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct CommonConfig {
    /// Address of the admin port: health, metrics, faults, protections, version. Absent: a free port on loopback.
    #[arg(long, env = "ADMIN_ADDR", value_name = "HOST:PORT")]
    pub admin_addr: Option<SocketAddr>,
    /// Address of the public port. Absent: a free port on loopback.
    #[arg(long, env = "PUBLIC_ADDR", value_name = "HOST:PORT")]
    pub public_addr: Option<SocketAddr>,
    /// Log lines as `json` (machines) or `pretty` (terminals).
    #[arg(long, env = "LOG_FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
    pub log_format: String,
    /// Log filter, as tracing's EnvFilter reads it: `info`, `debug,sqlx=warn`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// Where traces go: base URL of an OTLP/HTTP receiver, `/v1/traces` is appended. Absent: no traces are exported.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<url::Url>,
    /// Share of new traces that are sampled, 0 to 1; an incoming sampled parent is always followed.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_parser = ratio)]
    pub trace_ratio: f64,
    /// Time a request may take before it is answered with 504.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,
    /// Requests handled at once; more are shed with 503 and `Retry-After`.
    #[arg(long, env = "MAX_IN_FLIGHT", default_value_t = 256)]
    pub max_in_flight: usize,
    /// Largest request body that is read; larger ones are answered with 413.
    #[arg(long, env = "BODY_LIMIT", default_value = "64KiB", value_parser = byte_size)]
    pub body_limit: u64,
    /// What is asked of clients.
    #[command(flatten)]
    pub limits: serve::Limits,
    /// Longest time that a stop may take to finish the requests and tasks under way.
    #[arg(long, env = "DRAIN_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// Time between turning unready and refusing connections, so that a load balancer notices first; meanwhile each answer closes
    /// its connection. Connections that still come after it are served for up to half of `DRAIN_TIMEOUT`.
    #[arg(long, env = "DRAIN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,
    /// Whether the fault switch exists at all; without it `/faults` answers 404.
    #[arg(long, env = "FAULTS_ENABLED", default_value_t = true, action = clap::ArgAction::Set)]
    pub faults_enabled: bool,
    /// Bearer token that `/faults` and `/protections` require when set.
    #[arg(long, env = "FAULTS_TOKEN", hide_env_values = true)]
    pub faults_token: Option<Secret>,
    /// Instructors only: name active faults in metrics, spans and logs.
    #[arg(long, env = "FAULTS_REVEAL", default_value_t = false, action = clap::ArgAction::Set)]
    pub faults_reveal: bool,
    /// Faults that are on from the start, as `name?param=value&…`, separated by spaces.
    #[arg(long, env = "FAULTS_AT_START", value_delimiter = ' ')]
    pub faults_at_start: Vec<String>,
    /// Protections that are off from the start, separated by commas.
    #[arg(long, env = "PROTECTIONS_OFF", value_delimiter = ',')]
    pub protections_off: Vec<String>,
    /// Memory that this process should stay below, for `memory_usage_percent`; a container's own limit is found by itself.
    #[arg(long, env = "MEMORY_LIMIT", default_value = "256MiB", value_parser = byte_size)]
    pub memory_limit: u64,
}

/// A text that never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::ops::Deref for Secret {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// Parses a share between 0 and 1.
///
/// # Errors
/// A sentence that says what would be right.
pub fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a number from 0 to 1")),
    }
}

/// Parses a size in bytes: `512`, `64KiB`, `256MiB`, `1GiB`.
///
/// # Errors
/// A sentence that says what would be right.
pub fn byte_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(format!("`{text}` is not a size such as 512, 64KiB or 256MiB")),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(|| format!("`{text}` is not a size such as 512, 64KiB or 256MiB"))
}

/// Parses flags and environment into `C`; an empty variable counts as absent. On bad input says which variable has which
/// value and what was expected, and ends the process with [`EXIT_USAGE`].
#[must_use]
pub fn parse<C: clap::Parser>() -> C {
    let command = C::command().mut_args(without_empty_variable);
    let parsed =
        command.clone().try_get_matches().and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    parsed.unwrap_or_else(|error| {
        let code = if error.use_stderr() {
            eprintln!("{}", explain(&error, &command));
            EXIT_USAGE
        } else {
            // `--help` and `--version` arrive as errors too.
            let _ = error.print();
            0
        };
        #[expect(clippy::disallowed_methods, reason = "called by main before anything runs")]
        std::process::exit(code.into())
    })
}

/// Charts and compose files pass unset values as empty variables; clap would take them as texts.
fn without_empty_variable(arg: clap::Arg) -> clap::Arg {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { arg.env(clap::builder::Resettable::Reset) } else { arg }
}

/// Clap names the flag; operators set variables, so name that too.
fn explain(error: &clap::Error, command: &clap::Command) -> String {
    use clap::error::{ContextKind, ContextValue};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg).unwrap_or_default();
    let argument = command.get_arguments().find(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.is_some() && flag.split([' ', '=']).next() == long.as_deref()
    });
    let variable = argument.and_then(clap::Arg::get_env);
    let secret = argument.is_some_and(clap::Arg::is_hide_env_values_set);
    let reason = error.render().to_string();
    match (variable, text(ContextKind::InvalidValue)) {
        (Some(variable), Some(value)) => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}")).unwrap_or_default();
            let possible = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) => format!(": expected one of {}", values.join(", ")),
                _ => String::new(),
            };
            let value = if secret { "what it is set to".to_owned() } else { format!("{value:?}") };
            format!("{} ({flag}) cannot be {value}{why}{possible}", variable.display())
        }
        _ => reason.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Service {
        #[command(flatten)]
        common: CommonConfig,
    }

    fn refused(flag: &str) -> String {
        let error = Service::try_parse_from(["service", flag]).expect_err("bad input");
        explain(&error, &Service::command())
    }

    #[test]
    fn defaults_are_valid() {
        let config = Service::try_parse_from(["service"]).expect("defaults").common;
        assert_eq!(config.memory_limit, 256 << 20);
        assert_eq!(config.body_limit, 64 << 10);
    }

    #[test]
    fn a_bad_value_is_named_with_its_variable_and_what_was_expected() {
        let text = refused("--trace-ratio=2");
        assert!(text.contains("OTEL_TRACES_SAMPLER_ARG") && text.contains("\"2\""), "{text}");
        assert!(text.contains("from 0 to 1"), "{text}");
        let text = refused("--log-format=xml");
        assert!(text.contains("LOG_FORMAT") && text.contains("json, pretty"), "{text}");
        let text = refused("--request-timeout=soon");
        assert!(text.contains("REQUEST_TIMEOUT") && text.contains("soon"), "{text}");
    }

    #[test]
    fn sizes_carry_binary_units() {
        assert_eq!(byte_size("64KiB"), Ok(65_536));
        assert_eq!(byte_size("512"), Ok(512));
        for bad in ["", "KiB", "1KB", "-1", "99999999999GiB"] {
            assert!(byte_size(bad).is_err(), "{bad}");
        }
    }
}
