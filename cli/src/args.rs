//! The command line: what can be said to `lab`, and the help for it. No behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{commands, parts::alerting, ports};

/// A flight simulator for on-call: brings up a small distributed system that is safe to break.
#[derive(Debug, Parser)]
#[command(name = "lab", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "First steps:\n  \
    lab up                                     start everything; Ctrl-C stops it\n  \
    lab break order-api http-error rate=0.2    break something\n  \
    lab pages --follow                         be paged\n  \
    lab alerts                                 see what fires\n  \
    lab fix                                    end all faults")]
pub(crate) struct Cli {
    /// Folder of this lab: state, data, logs. Two labs with two folders and other ports run side by side.
    #[arg(long, global = true, env = "LAB_DIR", value_name = "PATH", help_heading = "Where")]
    pub(crate) dir: Option<PathBuf>,
    /// The checkout whose rules and dashboards are used; found by itself from the current folder or the executable.
    #[arg(long, global = true, env = "LAB_ROOT", value_name = "PATH", help_heading = "Where")]
    pub(crate) root: Option<PathBuf>,
    /// Token that the services ask for at `/faults` and `/protections`; `up` hands it to them.
    #[arg(
        long,
        global = true,
        env = "FAULTS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Where"
    )]
    pub(crate) faults_token: Option<String>,
    /// The lab on Kubernetes instead of the one on this machine: `k8s` for kubectl's current context, or a context by name. For
    /// `break`, `fix`, `faults` and `protections`, which then reach every pod of a service.
    #[arg(long, global = true, env = "LAB_CONTEXT", value_name = "CONTEXT", help_heading = "Where")]
    pub(crate) context: Option<String>,
    /// Namespace of the lab on Kubernetes.
    #[arg(
        long,
        global = true,
        env = "LAB_NAMESPACE",
        default_value = "sre-lab",
        value_name = "NAME",
        help_heading = "Where"
    )]
    pub(crate) namespace: String,
    /// One pod instead of every pod of the service.
    #[arg(long, global = true, value_name = "POD", requires = "context", help_heading = "Where")]
    pub(crate) pod: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the lab and keep it up.
    Up(Up),
    /// Stop the lab.
    Down(Down),
    /// Show the parts: readiness with reasons, process, ports, memory, restarts.
    Status(commands::status::Status),
    /// Open psql on a database of the lab, without typing a password.
    Psql(commands::clients::Psql),
    /// Open redis-cli on the lab's Redis, without typing a password.
    RedisCli(commands::clients::RedisCli),
    /// Read and follow the logs of all parts as one stream.
    Logs(commands::logs::Logs),
    /// Switch a fault on; it ends by itself.
    Break(commands::faults::Break),
    /// End faults.
    Fix(commands::faults::Fix),
    /// List the faults that a service can have, with their parameters.
    Faults(commands::faults::Faults),
    /// List the protections of a service, or switch one on or off.
    Protections(commands::protections::Protections),
    /// Kill everything, again and again, and prove that no order is lost or doubled.
    Torture(commands::torture::Torture),
    /// List recent traces.
    Traces(commands::traces::Traces),
    /// Draw one trace as a waterfall.
    Trace(commands::traces::Trace),
    /// Show the alerts that are pending and firing, and what Alertmanager has.
    Alerts(commands::alerts::Alerts),
    /// Show what reached the pager of the person on call.
    Pages(commands::pages::Pages),
    /// Objectives: check, generate, report, simulate, explain, measure.
    Slo(commands::slo::SloCommand),
    /// Show the versions of lab and of the programs that it runs.
    Version(commands::version::Version),
}

/// `lab up`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    lab up                              in the foreground, with a live line a part; Ctrl-C stops everything\n  \
    lab up --detach                     return when everything is ready; exit 1 with the log if it is not\n  \
    lab up --rate 200                   more load\n  \
    lab up --port prometheus=19090      one port elsewhere (LAB_PORTS=prometheus=19090,redis=16379)\n  \
    lab up --dir ../b --port-offset 10000   a second lab beside the first\n  \
    lab up --webhook https://host/hook  pages also go to a receiver of yours\n  \
    lab up --kafka apache               Apache Kafka with a durable log, from Maven Central; needs Java 17\n  \
    KAFKA_BROKERS=host:9092 lab up      a real Kafka or Redpanda instead of the embedded broker")]
pub(crate) struct Up {
    /// Run in the background; return when everything is ready.
    #[arg(long, short)]
    pub(crate) detach: bool,
    /// Start no load generator.
    #[arg(long)]
    pub(crate) no_load: bool,
    /// Load in requests a second.
    #[arg(long, env = "LAB_RATE", default_value_t = 50.0, value_parser = rate)]
    pub(crate) rate: f64,
    /// Move one port; may be repeated. An unknown NAME is answered with the list.
    #[arg(long = "port", env = "LAB_PORTS", value_name = "NAME=NUMBER", value_delimiter = ',',
          value_parser = ports::parse_choice)]
    pub(crate) ports: Vec<ports::PortChoice>,
    /// Move all ports by this much.
    #[arg(long, env = "LAB_PORT_OFFSET", value_name = "N", default_value_t = 0)]
    pub(crate) port_offset: u16,
    /// The broker that the lab runs.
    #[arg(long, env = "LAB_KAFKA", value_enum, value_name = "KIND", default_value_t = Broker::Embedded)]
    pub(crate) kafka: Broker,
    /// Use a broker that runs elsewhere, and start none.
    #[arg(long, env = "KAFKA_BROKERS", value_name = "HOST:PORT,…")]
    pub(crate) kafka_brokers: Option<String>,
    /// Share of new traces that are kept, 0 to 1. A request that comes with a sampled `traceparent` always is.
    #[arg(long, env = "LAB_TRACE_RATIO", value_name = "RATIO", default_value_t = 1.0, value_parser = ratio)]
    pub(crate) trace_ratio: f64,
    /// Instructors: name active faults in metrics, spans and logs.
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Tell this address of pages and tickets too (Alertmanager's webhook, version 4), beside `lab pages`.
    #[arg(long, env = "LAB_WEBHOOK", hide_env_values = true, value_name = "URL", value_parser = alerting::webhook_url)]
    pub(crate) webhook: Option<reqwest::Url>,
    /// Tell this Slack incoming webhook of pages and tickets too.
    #[arg(long, env = "LAB_SLACK_WEBHOOK", hide_env_values = true, value_name = "URL",
          value_parser = alerting::webhook_url)]
    pub(crate) slack_webhook: Option<reqwest::Url>,
    /// Keys that sign the events between order-api and order-worker, instead of the lab's own; empty for no signatures.
    #[arg(long, env = "EVENT_KEYS", hide_env_values = true, value_name = "ID:SECRET,…")]
    pub(crate) event_keys: Option<String>,
    /// Keep what Prometheus stored under earlier labs; alerts may then fire for what was broken before.
    #[arg(long)]
    pub(crate) keep_metrics: bool,
    /// The background process of `--detach`.
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

/// A broker that the lab runs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Broker {
    /// lab-kafka: librdkafka's mock cluster, in memory; starts at once, a kill loses its log.
    Embedded,
    /// Apache Kafka, one broker in KRaft mode with a durable log; needs Java 17 or newer, and Maven for the first start.
    Apache,
}

/// `lab down`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    lab down             stop everything, keep the data\n  \
    lab down --purge     and delete all data, logs and state of this lab")]
pub(crate) struct Down {
    /// Delete the lab's folder as well, and PostgreSQL's data where they lie elsewhere.
    #[arg(long)]
    pub(crate) purge: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 10_000.0 => Ok(rate),
        _ => Err("expected requests a second, above 0 and at most 10000 (for none: --no-load)".to_owned()),
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
