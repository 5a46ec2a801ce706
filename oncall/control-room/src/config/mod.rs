//! Flags and environment of `control-room`.

mod hands;
mod named;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chassis_core::config::Invalid;
use chassis_http::HttpConfig;
use chassis_service::{CommonConfig, PlainConfig};
use clap::{Args, Parser};
use incident::correlate::Graph;
use secrecy::SecretString;
use slo::Clock;
use url::Url;

pub use hands::Hands;
pub use named::named;
pub use values::{Call, Instance};

/// Largest body: a webhook of thousands of alerts. Alertmanager does not cut its groups by default.
const LARGEST_BODY: u64 = 16 << 20;

/// Longest time that a page takes: a board asks Prometheus for all of its panels, and a machine in trouble is slow.
const SLOWEST: Duration = Duration::from_secs(20);

/// The control room: incidents, who is on call, dashboards, postmortems, as pages and as an API.
///
/// Keeps all of it in one SQLite file. Needs nothing of what it watches: what does not answer is shown as unreachable. On
/// loopback nobody has to log in; anywhere else ACCESS_TOKEN and INSTRUCTOR_TOKEN are required.
#[derive(Debug, Clone, Parser)]
#[command(name = "control-room", version)]
pub struct RoomConfig {
    /// Address of the pages and the API.
    #[arg(long, env = "PUBLIC_ADDR", default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub public_addr: SocketAddr,
    /// Address of the admin port: /livez /readyz /metrics /version.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9104", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Grafana's address on this machine, where no Grafana is installed: it redirects to the same dashboards here. On loopback only.
    /// Absent, or another program has the port: nothing.
    #[arg(long, env = "GRAFANA_ADDR", value_name = "HOST:PORT")]
    pub grafana_addr: Option<SocketAddr>,
    /// Address under which people reach the pages, for links in notifications. Absent: that of PUBLIC_ADDR.
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// The SQLite file. Absent: everything is in memory and lost at the end.
    #[arg(long, env = "ROOM_FILE", value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Folder to which every version of a postmortem is also written, as Markdown. Absent: nowhere.
    #[arg(long, env = "POSTMORTEMS_DIR", value_name = "PATH")]
    pub postmortems: Option<PathBuf>,
    /// People, schedules and escalation policies; read again when it changes. Absent: nobody is on call.
    #[arg(long, env = "ONCALL_FILE", value_name = "PATH")]
    pub oncall: Option<PathBuf>,
    /// Checkout whose dashboards, runbooks, playbooks and objectives are shown. Absent: those that were compiled in.
    #[arg(long, env = "CHECKOUT", value_name = "PATH")]
    pub checkout: Option<PathBuf>,
    /// How fast time passes for waits that are written as in production: `lab` is 60 times as fast.
    #[arg(long, env = "CLOCK", default_value = "lab", value_name = "CLOCK", value_parser = values::clock)]
    pub clock: Clock,
    /// Whether runbooks begin by themselves when their alert fires, until somebody uses the switch on the page or `lab automation`: on
    /// or off. During a person's drill only the switch counts.
    #[arg(
        long,
        env = "AUTOMATION",
        default_value = "off",
        value_name = "on|off",
        action = clap::ArgAction::Set,
        value_parser = values::switch
    )]
    pub automation: bool,
    /// What watches the system.
    #[command(flatten)]
    pub sources: Sources,
    /// With what the system is changed.
    #[command(flatten)]
    pub hands: Hands,
    /// Who is told.
    #[command(flatten)]
    pub out: Out,
    /// Who may come in.
    #[command(flatten)]
    pub doors: Doors,
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
}

/// What watches the system, and the system itself.
#[derive(Debug, Clone, Args)]
pub struct Sources {
    /// Prometheus.
    #[arg(long, env = "PROMETHEUS_URL", default_value = "http://127.0.0.1:9090", value_name = "URL")]
    pub prometheus_url: Url,
    /// Alertmanager.
    #[arg(long, env = "ALERTMANAGER_URL", default_value = "http://127.0.0.1:9093", value_name = "URL")]
    pub alertmanager_url: Url,
    /// How long the first heartbeat of monitoring may take after the start, if that is longer than between any other two: Prometheus
    /// and Alertmanager may be starting too.
    #[arg(long, env = "HEARTBEAT_GRACE", default_value = "0s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub heartbeat_grace: Duration,
    /// The trace store, with Jaeger's query API.
    #[arg(long, env = "TRACES_URL", default_value = "http://127.0.0.1:16686", value_name = "URL")]
    pub traces_url: Url,
    /// Loki, for logs. Absent: LOGS_DIR.
    #[arg(long, env = "LOKI_URL", value_name = "URL")]
    pub loki_url: Option<Url>,
    /// Folder with the log files of a lab on this machine.
    #[arg(long, env = "LOGS_DIR", value_name = "PATH")]
    pub logs_dir: Option<PathBuf>,
    /// Grafana, if there is one: pages link to it. Absent: the dashboards are drawn here.
    #[arg(long, env = "GRAFANA_URL", value_name = "URL")]
    pub grafana_url: Option<Url>,
    /// The services and their admin ports, for readiness, faults and protections, such as
    /// order-api=http://127.0.0.1:9101,order-api-2@order-api=http://127.0.0.1:9131. NAME@SERVICE names a further instance.
    #[arg(long, env = "INSTANCES", value_name = "NAME=URL,…", value_delimiter = ',')]
    pub instances: Vec<Instance>,
    /// Which service calls which, in request-path order: load>order-api,order-api>user-service. Alerts of neighbours are one incident,
    /// and the map of the first page is drawn from it.
    #[arg(long, env = "CALLS", value_name = "CALLER>CALLEE,…", value_delimiter = ',')]
    pub calls: Vec<Call>,
    /// Token that the services require at /faults and /protections.
    #[arg(long, env = "FAULTS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub faults_token: Option<SecretString>,
}

/// Who is told.
#[derive(Debug, Clone, Args)]
pub struct Out {
    /// Bot token of Slack: each incident gets a channel as its war room. Absent: a thread on the incident's page.
    #[arg(long, env = "SLACK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub slack_token: Option<SecretString>,
    /// Address of Slack's API.
    #[arg(long, env = "SLACK_URL", default_value = "https://slack.com/api", value_name = "URL")]
    pub slack_url: Url,
    /// An incoming webhook of Slack: a channel where everybody hears of incidents, with and without a bot.
    #[arg(long, env = "SLACK_WEBHOOK", hide_env_values = true, value_name = "URL")]
    pub slack_webhook: Option<SecretString>,
    /// Address of the PagerDuty Events API v2.
    #[arg(long, env = "PAGERDUTY_URL", default_value = "https://events.pagerduty.com", value_name = "URL")]
    pub pagerduty_url: Url,
    /// Routing keys of PagerDuty by the names that oncall.yaml uses: NAME=KEY,…
    #[arg(
        long,
        env = "PAGERDUTY_KEYS",
        hide_env_values = true,
        value_name = "NAME=KEY,…",
        value_delimiter = ','
    )]
    pub pagerduty_keys: Vec<SecretString>,
    /// Key with which webhooks are signed (HMAC-SHA256). Absent: they are not signed.
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true, value_name = "KEY")]
    pub webhook_secret: Option<SecretString>,
    /// Whether pages also go to the desktop and the terminal of this machine, for people with such contacts: on or off. A container has
    /// neither.
    #[arg(
        long,
        env = "LOCAL_CHANNELS",
        default_value = "on",
        value_name = "on|off",
        action = clap::ArgAction::Set,
        value_parser = values::switch
    )]
    pub local_channels: bool,
}

/// Who may come in.
#[derive(Debug, Clone, Args)]
pub struct Doors {
    /// Token for pages and API. Required unless PUBLIC_ADDR is on loopback.
    #[arg(long, env = "ACCESS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub access_token: Option<SecretString>,
    /// Tokens that say who somebody is, by names of oncall.yaml: NAME=TOKEN,… With them, nobody has a name without their
    /// own token, and nobody can approve what they began under another name. Absent: a name is what a visitor says.
    #[arg(
        long,
        env = "PERSON_TOKENS",
        hide_env_values = true,
        value_name = "NAME=TOKEN,…",
        value_delimiter = ','
    )]
    pub person_tokens: Vec<SecretString>,
    /// Token of instructors, who see and set faults and the sealed truth. Required unless PUBLIC_ADDR is on loopback; absent there,
    /// everyone on this machine may become the instructor.
    #[arg(long, env = "INSTRUCTOR_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub instructor_token: Option<SecretString>,
    /// Token that Alertmanager and others send to /hooks and /v2 as `Authorization: Bearer`, and a program that releases
    /// in a cluster, to tell what people did. Absent: everyone may page.
    #[arg(long, env = "HOOK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub hook_token: Option<SecretString>,
}

impl RoomConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        let common = self.plain.common(self.admin_addr);
        CommonConfig {
            public_addr: Some(self.public_addr),
            http: HttpConfig { body_limit: LARGEST_BODY, request_timeout: SLOWEST, ..common.http },
            ..common
        }
    }

    /// Refuses what would be unsafe, and what cannot be read.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn check(&self) -> Result<(), Invalid> {
        self.hands.check()?;
        if let Some(address) = self.grafana_addr.filter(|address| !address.ip().is_loopback()) {
            return Err(Invalid::new("GRAFANA_ADDR", format_args!("{address} is not on loopback")));
        }
        if self.public_addr.ip().is_loopback() {
            return Ok(());
        }
        let missing =
            [("ACCESS_TOKEN", &self.doors.access_token), ("INSTRUCTOR_TOKEN", &self.doors.instructor_token)];
        match missing.into_iter().find(|(_, token)| token.is_none()) {
            Some((variable, _)) => Err(Invalid::new(
                variable,
                format_args!(
                    "required, because PUBLIC_ADDR {} is not on loopback: set a long random text",
                    self.public_addr
                ),
            )),
            None => Ok(()),
        }
    }

    /// The lab clock's divisor.
    #[must_use]
    pub fn speed(&self) -> u32 {
        u32::try_from(self.clock.divisor()).unwrap_or(1)
    }

    /// Which service calls which.
    #[must_use]
    pub fn graph(&self) -> Graph {
        Graph::new(self.sources.calls.iter().map(|call| (call.caller.clone(), call.callee.clone())))
    }

    /// The address of the pages, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", self.public_addr.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn config(arguments: &[&str]) -> RoomConfig {
        RoomConfig::parse_from([&["control-room"], arguments].concat())
    }

    #[test]
    fn the_command_line_is_consistent() {
        RoomConfig::command().debug_assert();
    }

    #[test]
    fn beyond_loopback_both_tokens_are_required() {
        assert!(config(&[]).check().is_ok());
        let open = ["--public-addr", "0.0.0.0:8080"];
        let said = |arguments: &[&str]| config(arguments).check().map_err(|error| error.to_string());
        assert!(said(&open).unwrap_err().starts_with("ACCESS_TOKEN"));
        let one = [&open[..], &["--access-token", "a"]].concat();
        assert!(said(&one).unwrap_err().starts_with("INSTRUCTOR_TOKEN"));
        assert!(said(&[&one[..], &["--instructor-token", "b"]].concat()).is_ok());
        assert!(said(&["--grafana-addr", "127.0.0.1:3000"]).is_ok());
        assert!(said(&["--grafana-addr", "0.0.0.0:3000"]).unwrap_err().starts_with("GRAFANA_ADDR"));
    }
}
