//! `lab up`: checks, starts, shows, waits. `--detach` runs the same command again in the background and watches it.

mod detach;
mod tell;
mod values;

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use clap::Args;
use reqwest::Url;
use slo::Clock;
use supervisor::{
    Board, Guests, Part, Policy, Stop,
    lock::{self, Lock, Taken},
    ports::{Outgoing, PortChoice},
    state::{LabState, Phase},
    sweep,
};

use self::tell::{report_failure, welcome};
use super::{secret_arguments, slo::ClockName};
use crate::{
    desired::Keeper,
    failover,
    fleet::Agent,
    home::{CLOCK, Home},
    parts::{
        alerting::webhook_url,
        cloud::{self, Cloud, Emulator},
        grafana::LOKI,
        opensearch::{self, LogStore, OPENSEARCH},
        ports::{self, parse_choice},
        postgres::{Confirm, REPLICA},
        replicas::{self, Replicas},
        table::{Broker, Choices, Kafka, Timing, Webhooks, table},
    },
    progress::Progress,
    ship,
    signals::{self, Hangup},
    terminal::say,
};

/// Runs until it is stopped; data and logs stay for the next start.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    lab up                              in the foreground, one live line per part; Ctrl-C stops everything\n  \
    lab up --detach                     return when everything is ready; exit 1 with the log if it is not\n  \
    lab up --rate 200                   more load\n  \
    lab up --replicas order-worker=2    two instances, which share the queue\n  \
    lab up --replicas order-api=3,edge=2    two edges behind port 8000, which balance over three\n  \
    lab up --staging                    an edge for the probes' attacks alone, and for lab waf apply --staging\n  \
    lab up --port prometheus=19090      move one port (LAB_PORTS=prometheus=19090,redis=16379)\n  \
    lab up --dir ../b --port-offset 10000   a second lab next to the first\n  \
    lab up --clock production           objectives over 30 days, as in production; keeps its metrics\n  \
    lab up --chaos                      proxies between the parts, for `lab chaos run slow-database`\n  \
    lab up --webhook https://host/hook  also send pages to your receiver\n  \
    lab up --replica sync               a replica of PostgreSQL that every commit waits for: lab failover loses nothing\n  \
    lab up --kafka apache               Apache Kafka with a durable log, from Maven Central; needs Java 17\n  \
    lab up --logs opensearch            all logs in OpenSearch too, one index per day; needs Java 17\n  \
    lab up --objects                    an object store with the API of S3, on port 9200\n  \
    lab up --cloud localstack           S3, SQS and SNS on port 4566, and notifications; needs Python 3\n  \
    KAFKA_BROKERS=host:9092 lab up      your Kafka or Redpanda instead of the embedded broker")]
pub(crate) struct Up {
    /// Run in the background; return when everything is ready, or exit with 1 and the log if it is not.
    #[arg(long, short)]
    detach: bool,
    /// Start without the load generator and the probes: only you use the shop.
    #[arg(long)]
    no_load: bool,
    /// Start without the synthetic probes, which try user journeys and the firewall every few seconds.
    #[arg(long)]
    no_probes: bool,
    /// Run an edge that users never reach, `edge-staging` on port 8010: the probes attack it instead of the others, and
    /// `lab waf apply --staging` tries a rule there first (docs/edge.md).
    #[arg(long)]
    staging: bool,
    /// Load in requests per second.
    #[arg(long, env = "LAB_RATE", default_value_t = 50.0, value_parser = values::rate)]
    rate: f64,
    /// Move one port, such as prometheus=19090; may be repeated. An unknown NAME prints the list.
    #[arg(long = "port", env = "LAB_PORTS", value_name = "NAME=NUMBER", value_delimiter = ',',
          value_parser = parse_choice)]
    ports: Vec<PortChoice>,
    /// Add this number to every port.
    #[arg(long, env = "LAB_PORT_OFFSET", value_name = "N", default_value_t = 0)]
    port_offset: u16,
    /// Run N instances of a service, 1 to 3; may be repeated. Those of order-worker share the queue; the edge balances
    /// over those of order-api and user-service; several edges share port 8000.
    #[arg(long, env = "LAB_REPLICAS", value_name = "SERVICE=N", value_delimiter = ',',
          value_parser = replicas::parse)]
    replicas: Vec<Replicas>,
    /// Broker that the lab runs.
    #[arg(long, env = "LAB_KAFKA", value_enum, value_name = "KIND", default_value_t = Broker::Embedded)]
    kafka: Broker,
    /// Use this broker instead of starting one.
    #[arg(long, env = "KAFKA_BROKERS", value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
    /// Where the logs of all parts are shipped to.
    #[arg(long, env = "LAB_LOGS", value_enum, value_name = "KIND", default_value_t = LogStore::Loki)]
    logs: LogStore,
    /// Ship the logs to this OpenSearch instead of starting one.
    #[arg(long, env = "OPENSEARCH_URL", value_name = "URL", value_parser = opensearch::address)]
    opensearch_url: Option<Url>,
    /// Days that OpenSearch keeps log lines, 1 to 3650.
    #[arg(long, env = "LAB_LOGS_DAYS", value_name = "DAYS", default_value_t = 7,
          value_parser = clap::value_parser!(u16).range(1..=3650))]
    logs_days: u16,
    /// Share of new traces to keep, 0 to 1. A request that arrives with a sampled `traceparent` is always kept.
    #[arg(long, env = "LAB_TRACE_RATIO", value_name = "RATIO", default_value_t = 1.0,
          value_parser = chassis_text::ratio)]
    trace_ratio: f64,
    /// Archive PostgreSQL's write-ahead log every second, and regularly make and verify a backup (docs/recovery.md).
    /// LAB_BACKUPS and LAB_BACKUP_KEY set where backups and their key are.
    #[arg(long)]
    backups: bool,
    /// Time from one backup to the next, 10s to 7days.
    #[arg(long, env = "LAB_BACKUP_EVERY", value_name = "DURATION", default_value = "10m", value_parser = values::backup_every)]
    backup_every: Duration,
    /// Put a TCP proxy on each way between the services, PostgreSQL and Redis, for `lab chaos run` (docs/chaos.md).
    #[arg(long)]
    chaos: bool,
    /// Run a streaming replica of PostgreSQL, for `lab failover` (docs/recovery.md). With `sync`, a commit waits for it.
    #[arg(long, env = "LAB_REPLICA", value_enum, value_name = "MODE", num_args = 0..=1,
          default_missing_value = "async")]
    replica: Option<Confirm>,
    /// Run lab-objects, an object store with the API of S3 and two buckets, `backups` and `terraform-state`
    /// (docs/cloud.md). LAB_BACKUPS=s3://backups/lab keeps backups in it.
    #[arg(long)]
    objects: bool,
    /// Run an emulator of S3, SQS and SNS, and notify customers through its queues. From Python's package index; needs
    /// Python 3 with venv.
    #[arg(long, env = "LAB_CLOUD", value_enum, value_name = "KIND")]
    cloud: Option<Emulator>,
    /// Use the emulator at this address instead of starting one, for example your own LocalStack.
    #[arg(long, env = "LAB_CLOUD_ENDPOINT", value_name = "URL", requires = "cloud", value_parser = cloud::address)]
    cloud_endpoint: Option<Url>,
    /// For instructors: name active faults in metrics, spans and logs.
    #[arg(long)]
    reveal: bool,
    /// Also send pages and tickets to this address (Alertmanager's webhook, version 4).
    #[arg(long, env = "LAB_WEBHOOK", hide_env_values = true, value_name = "URL", value_parser = webhook_url)]
    webhook: Option<Url>,
    /// Also send pages and tickets to this Slack incoming webhook.
    #[arg(long, env = "LAB_SLACK_WEBHOOK", hide_env_values = true, value_name = "URL",
          value_parser = webhook_url)]
    slack_webhook: Option<Url>,
    /// Keys that sign the events between order-api and order-worker. By default the lab's own; empty for no
    /// signatures.
    #[arg(long, env = "EVENT_KEYS", hide_env_values = true, value_name = "ID:SECRET,…")]
    event_keys: Option<String>,
    /// Clock of the objectives: windows of minutes and a period of 12 hours, or those of production, 60 times as long.
    /// Production scrapes every 5 s and keeps what it stored in earlier runs.
    #[arg(long, env = "LAB_CLOCK", value_enum, default_value = "lab")]
    clock: ClockName,
    /// Keep what Prometheus stored in earlier runs; alerts may then fire for old outages.
    #[arg(long)]
    keep_metrics: bool,
    /// The background process of `--detach`.
    #[arg(long, hide = true)]
    background: bool,
}

impl Up {
    /// Runs the command.
    ///
    /// # Errors
    /// When a lab already runs, a port is taken, a program is missing, or a part does not start.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        secret_arguments::hide()?;
        // Everything that this process and its children write is for its owner alone.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
        let outgoing = Outgoing::here();
        let ports = ports::choose(self.port_offset, &self.ports, &outgoing)?;
        home.create()?;
        if self.detach && !self.background {
            return detach::detach(home).await;
        }
        let lock = lock(home)?;
        ports.warnings(&outgoing).iter().for_each(|warning| say(format_args!("lab: {warning}")));
        let ended = sweep(&home.dir).await?;
        if ended > 0 {
            say(format!("lab: ended {ended} processes of a lab that was killed"));
        }
        let index = self.index(ports.get(OPENSEARCH));
        let choices = Choices {
            ports,
            kafka: self.broker(),
            replicas: self.replicas,
            rate: (!self.no_load).then_some(self.rate),
            probes: !(self.no_load || self.no_probes),
            staging: self.staging,
            trace_ratio: self.trace_ratio,
            reveal: self.reveal,
            token: home.token.clone(),
            event_keys: self.event_keys,
            timing: Timing { clock: self.clock.into(), keep: self.keep_metrics },
            opensearch: index.is_some() && self.opensearch_url.is_none(),
            objects: self.objects,
            cloud: self.cloud.map(|emulator| Cloud { emulator, elsewhere: self.cloud_endpoint }),
            backups: self.backups.then_some(self.backup_every),
            chaos: self.chaos,
            replica: self.replica,
            webhooks: Webhooks { generic: self.webhook, slack: self.slack_webhook },
        };
        let parts = table(home, &choices)?;
        ports::check(&parts)?;
        let (roster, guests) = supervisor::roster();
        let agent = Agent::new(home, &choices, &parts, roster)?;
        let keeper = Keeper::new(home, choices.token.as_ref());
        let labour = (parts, guests, agent, keeper);
        let outcome = supervise(home, labour, self.clock.into(), index, self.background).await;
        LabState::remove(&home.dir)?;
        drop(lock);
        outcome?;
        say("lab: stopped");
        Ok(ExitCode::SUCCESS)
    }

    fn broker(&self) -> Kafka {
        match (&self.kafka_brokers, self.kafka) {
            (Some(brokers), _) if !brokers.is_empty() => Kafka::Elsewhere(brokers.clone()),
            (_, Broker::Embedded) => Kafka::Embedded,
            (_, Broker::Apache) => Kafka::Apache,
        }
    }

    /// Where logs are shipped to in addition to Loki; `port` is that of an OpenSearch of this lab.
    fn index(&self, port: u16) -> Option<ship::opensearch::Target> {
        let ours = (self.logs == LogStore::OpenSearch).then(|| format!("http://127.0.0.1:{port}"));
        let url = self.opensearch_url.as_ref().map(Url::to_string).or(ours)?;
        Some(ship::opensearch::Target { url, days: self.logs_days })
    }
}

/// Held for as long as the supervisor lives.
fn lock(home: &Home) -> Result<Lock> {
    match lock::take_or_make(&home.dir)? {
        Some(Taken::Ours(lock)) => Ok(lock),
        Some(Taken::By(_)) => bail!(
            "a lab already runs in {}: see `lab status`, stop it with `lab down`, or use another --dir",
            home.dir.display()
        ),
        None => bail!("{} has gone", home.dir.display()),
    }
}

async fn supervise(
    home: &Home,
    (parts, guests, agent, keeper): (Vec<Part>, Guests, Agent, Keeper),
    clock: Clock,
    index: Option<ship::opensearch::Target>,
    background: bool,
) -> Result<()> {
    let board = Board::new(&home.dir, &parts, |sentence| say(format_args!("lab: {sentence}")));
    board.label(CLOCK, clock.as_str());
    let stop = Stop::default();
    // A lab in the background outlives the terminal that started it.
    let hangup = if background { Hangup::Ignored } else { Hangup::Ends };
    let words = "\nlab: stopping (Ctrl-C again to kill)";
    tokio::spawn(signals::listen(stop.gently.clone(), stop.now.clone(), hangup, words));
    tokio::spawn(show(board.clone(), background));
    let loki = parts.iter().find_map(|part| part.ports.get(LOKI)).copied();
    // They end with this process, as the parts do.
    loki.map(|port| tokio::spawn(ship::loki::ship(home.clone(), port)));
    index.map(|target| tokio::spawn(ship::opensearch::ship(home.clone(), target)));
    if parts.iter().any(|part| part.name == REPLICA)
        && let Some(port) = parts.iter().find_map(|part| part.ports.get("postgres"))
    {
        tokio::spawn(failover::watch::watch(home.clone(), *port));
    }
    tokio::spawn(agent.run(board.clone()));
    tokio::spawn(keeper.run(board.clone()));
    let outcome = supervisor::run_with(&home.dir, parts, &board, Policy::default(), &stop, guests).await;
    if outcome.is_err() && !background {
        report_failure(&board.now());
    }
    Ok(outcome?)
}

async fn show(board: Board, background: bool) {
    let mut states = board.watch();
    let mut progress = if background { Progress::plain() } else { Progress::new() };
    let mut told = false;
    loop {
        let state = states.borrow_and_update().clone();
        progress.show(&state);
        if state.phase == Phase::Ready && !told {
            told = true;
            progress.finish();
            progress = Progress::plain();
            progress.silently(&state);
            welcome(&state, background);
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}
