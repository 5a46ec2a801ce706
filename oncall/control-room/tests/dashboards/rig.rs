//! The control room, and a browser without scripts.

use std::path::Path;

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use reqwest::{Client, redirect::Policy};
use serde_json::Value;

use crate::fakes::Fake;

/// Nobody listens there without being root.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

pub(crate) struct Rig {
    running: Running,
    http: Client,
}

/// What came back.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Rig {
    /// With this fake as Prometheus and trace store.
    pub(crate) async fn start(fake: &Fake, logs: Option<&Path>) -> Self {
        Self::watching(&fake.url, logs).await
    }

    pub(crate) async fn watching(url: &str, logs: Option<&Path>) -> Self {
        Self::between(url, url, logs).await
    }

    /// With a Prometheus and a trace store at these URLs.
    pub(crate) async fn between(prometheus: &str, traces: &str, logs: Option<&Path>) -> Self {
        let logs = logs.map(|folder| format!("--logs-dir={}", folder.display()));
        Self::begin(prometheus, traces, logs).await
    }

    /// With these flags, and nothing to watch.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        Self::begin(NOBODY, NOBODY, flags.iter().map(|&flag| flag.to_owned())).await
    }

    async fn begin(prometheus: &str, traces: &str, extra: impl IntoIterator<Item = String>) -> Self {
        let mut flags = vec![
            "control-room".to_owned(),
            "--public-addr=127.0.0.1:0".to_owned(),
            "--admin-addr=127.0.0.1:0".to_owned(),
            format!("--prometheus-url={prometheus}"),
            format!("--traces-url={traces}"),
            format!("--alertmanager-url={NOBODY}"),
            format!("--instances=order-api={NOBODY},user-service={NOBODY}"),
            "--calls=order-api>user-service".to_owned(),
        ];
        flags.extend(extra);
        let config = RoomConfig::try_parse_from(flags).expect("valid flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { running, http }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.public.expect("a public port"))
    }

    pub(crate) async fn get(&self, path: &str) -> Shown {
        Self::read(self.http.get(self.url(path)).send().await.expect("an answer")).await
    }

    /// Whether it also listens on the port with this name.
    pub(crate) fn has_port(&self, name: &str) -> bool {
        self.running.port(name).is_some()
    }

    /// A page of that port, asked for at this host.
    pub(crate) async fn get_at(&self, port: &str, host: &str, path: &str) -> Shown {
        let url = format!("http://{}{path}", self.running.port(port).expect("a port with this name"));
        Self::read(self.http.get(url).header("host", host).send().await.expect("an answer")).await
    }

    async fn read(answer: reqwest::Response) -> Shown {
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let (status, location) = (answer.status().as_u16(), location.unwrap_or_default().to_owned());
        Shown { status, location, body: answer.text().await.expect("a body") }
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let shown = self.get(path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        shown.body
    }

    /// JSON that must be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).expect("JSON")
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let body = serde_urlencoded::to_string(fields).expect("fields");
        let request =
            self.http.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        Self::read(request.body(body).send().await.expect("an answer")).await
    }

    /// Sends JSON to the API.
    pub(crate) async fn api(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        let shown = Self::read(request.body(body.to_string()).send().await.expect("an answer")).await;
        assert!((200..300).contains(&shown.status), "{path}: {} {}", shown.status, shown.body);
        serde_json::from_str(&shown.body).expect("JSON")
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// The text between two others.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("`{before}` is missing: {text}")).1;
    rest.split_once(after).map_or(rest, |(found, _)| found)
}
