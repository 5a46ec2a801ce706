//! Flags and environment of `load`.

use std::{net::SocketAddr, time::Duration};

use chassis_service::{CommonConfig, PlainConfig, ServiceInfo};
use chassis_telemetry::LogConfig;
use clap::{ArgGroup, Parser};
use contracts::users::SEEDED_USERS;
use http::Uri;
use tokio::sync::watch;

use crate::{
    driver::{Pace, Plan},
    mix::{Mix, OperationKind, PROFILES},
    schedule::Arrivals,
    start::StartConfig,
    workload::Workload,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "load", version: env!("CARGO_PKG_VERSION") };

/// Largest rate, in requests per second.
pub const MAX_RATE: f64 = 100_000.0;

/// Sends a realistic mix of requests to the shop, through its edge, at a rate that does not depend on their responses.
///
/// Requests start when they are due, even if earlier ones are still waiting, and latency counts from when they were due:
/// a system that freezes for two seconds shows it in the percentiles. The same seed repeats the same operations, users,
/// items and arrival times. Ends after --duration or on Ctrl-C, then finishes requests in flight and prints a summary.
///
/// While it runs, its admin port serves /metrics and the rate:
///   curl localhost:9105/rate
///   curl -X PUT 'localhost:9105/rate?rps=200'
#[derive(Debug, Clone, Parser)]
#[command(name = "load", version, verbatim_doc_comment, after_long_help = after_help())]
#[command(group = ArgGroup::new("what").args(["profile", "mix", "operation"]))]
pub struct LoadConfig {
    /// Base URL for orders: the edge, or order-api itself.
    #[arg(long, env = "ORDER_API_URL", default_value = "http://127.0.0.1:8000", value_parser = crate::http::base_url)]
    pub order_api: Uri,
    /// Base URL for users: the edge, or user-service itself.
    #[arg(long, env = "USER_SERVICE_URL", default_value = "http://127.0.0.1:8000", value_parser = crate::http::base_url)]
    pub user_service: Uri,
    /// Requests per second, 0 to 100000; 0 waits until the admin port sets a rate.
    #[arg(long, short, env = "LOAD_RATE", default_value_t = 50.0, value_name = "RPS", value_parser = rate)]
    pub rate: f64,
    /// How the gaps between arrivals vary.
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// Closed loop instead: N callers that send the next request after each response. Measures capacity, hides waiting.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), conflicts_with_all = ["rate", "arrivals"])]
    pub concurrency: Option<u16>,
    /// When to stop, such as 30s or 5m. By default runs until it is stopped.
    #[arg(long, short, value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
    /// Leave the first part of the run, such as 10s, out of the summary.
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub warmup: Duration,
    /// Determines operations, users, items and arrival times.
    #[arg(long, env = "LOAD_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Name of a mix.
    #[arg(long, env = "LOAD_PROFILE", default_value = "shop", value_parser = profile_names())]
    pub profile: String,
    /// Your own mix, such as place-order=3,read-user=7
    #[arg(long, value_name = "NAME=WEIGHT,…")]
    pub mix: Option<Mix>,
    /// Only this operation.
    #[arg(long, value_enum)]
    pub operation: Option<OperationKind>,
    /// Exponent of the Zipf distribution of users: 0 is uniform, 1 is typical, above 1 has few very active users.
    #[arg(long, default_value_t = 1.0, value_name = "S", value_parser = exponent)]
    pub zipf: f64,
    /// How many users the requests are about: the most active ones. A few with --zipf 0 are like regular customers; with 1,
    /// every request is about the same user, like a celebrity.
    #[arg(long, default_value_t = SEEDED_USERS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(SEEDED_USERS)))]
    pub users: u32,
    /// Longest time for one request.
    #[arg(long, env = "LOAD_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Largest number of requests in flight; more are dropped and counted in load_dropped_total.
    #[arg(long, env = "LOAD_MAX_IN_FLIGHT", default_value_t = 2048, value_name = "N", value_parser = positive)]
    pub max_in_flight: usize,
    /// Longest wait for requests in flight at the end.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// Print the summary as JSON, and log only errors.
    #[arg(long)]
    pub json: bool,
    /// Address of the admin port: /livez /readyz /metrics /rate.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9105", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Open no admin port, so that a benchmark can run while the lab's own load does.
    #[arg(long)]
    pub no_admin: bool,
    /// Whether to wait for the shop.
    #[command(flatten)]
    pub start: StartConfig,
    /// Limits for clients of the admin port.
    #[command(flatten)]
    pub limits: chassis_serve::Limits,
    /// Log lines as `json` (machines) or `pretty` (terminals).
    #[arg(long, env = "LOG_FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
    pub log_format: String,
    /// Log filter. Default: info, or error with --json.
    #[arg(long, env = "LOG_LEVEL")]
    pub log_level: Option<String>,
}

fn after_help() -> String {
    let profiles = PROFILES.iter().map(|(name, what, mix)| format!("  {name:8}{what}\n          {mix}\n"));
    format!(
        "Profiles:\n{}\nExamples:\n  load --rate 200 --duration 1m\n  load --profile browse --zipf 1.2 --seed 7\n  \
         load --operation place-order --concurrency 16 --duration 20s --warmup 2s --json --no-admin\n\n\
         Scenarios with a verdict, comparisons and capacity: load run --help, load help",
        profiles.collect::<String>()
    )
}

fn profile_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(PROFILES.iter().map(|(name, ..)| *name))
}

/// Parses a rate in requests per second.
///
/// # Errors
/// A sentence with the expected form.
pub fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=MAX_RATE).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a number from 0 to {MAX_RATE}")),
    }
}

/// Parses a number of percent; growth may be more than 100.
///
/// # Errors
/// A sentence with the expected form.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1_000.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a number from 0 to 1000")),
    }
}

fn exponent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=10.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a number from 0 to 10")),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(value) if (1..=100_000).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a whole number from 1 to 100000")),
    }
}

impl LoadConfig {
    /// Reads the process's flags and environment; on bad input prints the problem and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// The mix that the flags select.
    #[must_use]
    pub fn mix(&self) -> Mix {
        let named = || Mix::profile(&self.profile).unwrap_or_else(|| Mix::only(OperationKind::PlaceOrder));
        self.operation.map(Mix::only).or_else(|| self.mix.clone()).unwrap_or_else(named)
    }

    /// The run that the flags describe, at the rate in `rate`.
    ///
    /// # Errors
    /// When the Zipf exponent is not valid.
    pub fn plan(&self, rate: watch::Receiver<f64>) -> anyhow::Result<Plan> {
        let pace = match self.concurrency {
            Some(concurrency) => Pace::Closed { concurrency: concurrency.into() },
            None => Pace::Open { arrivals: self.arrivals, rate, max_in_flight: self.max_in_flight },
        };
        Ok(Plan {
            pace,
            workload: Workload::among(self.users, self.mix(), self.zipf, self.seed)
                .map_err(anyhow::Error::msg)?,
            seed: self.seed,
            timeout: self.timeout,
            duration: self.duration,
            drain: self.drain,
        })
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        let quiet = if self.json { "error" } else { "info" };
        let level = self.log_level.clone().unwrap_or_else(|| quiet.to_owned());
        let log = LogConfig { format: self.log_format.clone(), level };
        let plain = PlainConfig { limits: self.limits.clone(), log };
        // The driver gives up what is in flight after `drain`, and needs a moment to say so.
        CommonConfig { drain_timeout: self.drain + Duration::from_secs(1), ..plain.common(self.admin_addr) }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        LoadConfig::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused_with_what_would_be_right() {
        for (flag, value, said) in [
            ("--rate", "-1", "0 to 100000"),
            ("--rate", "NaN", "0 to 100000"),
            ("--order-api", "https://x", "a proxy that does"),
            ("--order-api", "8001", "base URL"),
            ("--mix", "risk=1", "place-order"),
            ("--zipf", "-2", "0 to 10"),
            ("--users", "0", "1..=10000"),
            ("--profile", "nope", "browse"),
        ] {
            let argument = format!("{flag}={value}");
            let error = LoadConfig::try_parse_from(["load", &argument]).unwrap_err().to_string();
            assert!(error.contains(said), "{argument}: {error}");
        }
    }

    #[test]
    fn a_mix_and_a_single_operation_replace_the_profile() {
        let parse = |args: &[&str]| LoadConfig::try_parse_from([&["load"], args].concat()).unwrap().mix();
        assert_eq!(parse(&[]), Mix::profile("shop").unwrap());
        assert_eq!(parse(&["--operation", "risky"]), Mix::only(OperationKind::Risky));
        assert_eq!(parse(&["--mix", "risky=5"]), "risky=5".parse().unwrap());
    }
}
