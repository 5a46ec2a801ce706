//! A real Alertmanager, alone or one of several that agree among themselves who notifies.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use serde_json::Value;

use crate::{Http, Process, Scrape, eventually, free_addr, needs::program};

/// Longest wait for a start, and for several to know each other.
const START: Duration = Duration::from_secs(30);

const AT_ONCE: &str = "\
route: { receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: all
";

/// A running Alertmanager on free ports; stopped when dropped.
pub struct Alertmanager {
    process: Process,
    addr: SocketAddr,
    /// With its configuration and its data.
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    /// A configuration that sends everything to one receiver at once: groups by alert, and news of a group every second.
    /// `integrations` are lines of YAML, such as `webhook_configs: [...]`.
    #[must_use]
    pub fn at_once(integrations: &str) -> String {
        let mut text = String::from(AT_ONCE);
        for line in integrations.lines() {
            let _ = writeln!(text, "    {line}");
        }
        text
    }

    /// Starts one that knows nobody, with the text of a configuration.
    ///
    /// # Panics
    /// When Alertmanager is missing (call `needs!(Alertmanager)` first) or does not start.
    pub async fn start(configuration: &str) -> Self {
        let one = Self::spawn(configuration, &["--cluster.listen-address=".to_owned()]);
        one.ready(|_| true).await;
        one
    }

    /// Starts two with the same configuration that know each other; `flags` are those of both.
    ///
    /// # Panics
    /// As [`Alertmanager::start`], and when they do not find each other.
    pub async fn pair(configuration: &str, flags: &[&str]) -> [Self; 2] {
        let (one, other) = (free_addr(), free_addr());
        let start = |own: SocketAddr, peer: SocketAddr| {
            let mut all = vec![format!("--cluster.listen-address={own}"), format!("--cluster.peer={peer}")];
            all.extend(flags.iter().map(|&flag| flag.to_owned()));
            Self::spawn(configuration, &all)
        };
        let pair = [start(one, other), start(other, one)];
        for each in &pair {
            each.ready(|scrape| scrape.find("alertmanager_cluster_members", &[]) == Some(2.0)).await;
        }
        pair
    }

    fn spawn(configuration: &str, flags: &[String]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("testkit-alertmanager-").tempdir().expect("a temp folder");
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, configuration).expect("a file");
        let found = ["prometheus-alertmanager", "alertmanager"].iter().find_map(|name| program(name));
        let binary = found.expect("Alertmanager is installed").display().to_string();
        let addr = free_addr();
        let mut all = vec![
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={addr}"),
        ];
        all.extend_from_slice(flags);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Self { process: Process::start(&binary, &all), addr, _folder: folder }
    }

    async fn ready(&self, is: impl Fn(&Scrape) -> bool) {
        let http = Http::to(self.addr);
        eventually(START, || async {
            let answer = http.try_send(http::Method::GET, "/metrics", &[], "").await;
            let good = answer.is_ok_and(|answer| answer.status == 200 && is(&Scrape::parse(&answer.body)));
            good.then_some(()).ok_or_else(|| self.output())
        })
        .await;
    }

    /// Its address, of the API and of its metrics.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it has said so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Sends alerts as Prometheus does: a list of objects with `labels`, and perhaps `annotations`, `startsAt` and `endsAt`.
    ///
    /// # Panics
    /// When it does not take them.
    pub async fn post(&self, alerts: &Value) {
        Http::to(self.addr).post("/api/v2/alerts", alerts).await.expect_status(200);
    }
}
