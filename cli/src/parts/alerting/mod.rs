//! Notification: Alertmanager with the lab's routes; it notifies the control room, and whom `lab up` names.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use anyhow::Result;
use reqwest::Url;
use slo::Clock;
use supervisor::{Part, part::Line, ports::Ports};

use super::{choices::Webhooks, control_room::CONTROL_ROOM, environment, monitoring, programs};
use crate::home::Home;

const TEMPLATE: &str = include_str!("../../../../dashboards/alertmanager/lab.yml");

/// Reads the address of a webhook.
///
/// # Errors
/// A sentence with the expected form; the address itself is a secret and not repeated.
pub(crate) fn webhook_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("expected an address such as https://host/path".to_owned()),
    }
}

/// Alertmanager, alone: no cluster, and it notifies nobody outside this machine unless `webhooks` says so.
///
/// # Errors
/// When it is not installed or its configuration cannot be written.
pub(crate) fn alertmanager(home: &Home, ports: &Ports, webhooks: &Webhooks, clock: Clock) -> Result<Part> {
    let program = programs::need(&["prometheus-alertmanager", "alertmanager"], "Alertmanager")?;
    let folder = home.dir.join("alertmanager");
    let config = on_clock(&configuration(ports.get(CONTROL_ROOM), webhooks), clock);
    let config = monitoring::write(&folder, "alertmanager.yml", &config)?;
    let port = ports.get("alertmanager");
    let line = Line::new(program).args([
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
        "--log.level=warn".to_owned(),
    ]);
    // Few alerts a minute: early garbage collection costs next to nothing.
    let line = line.env("GOMAXPROCS", "1").env("GOGC", "20");
    // It may have to call a receiver outside this machine.
    let line = line.keep(environment::PROXIES.iter().copied());
    let part = Part::new("alertmanager", line, monitoring::ready(port)).port("alertmanager", port);
    Ok(part.after(&[CONTROL_ROOM]))
}

/// Alertmanager's configuration. Pages and tickets go to the same addresses: the severity is a label of the notification.
/// The heartbeat stays here.
fn configuration(room: u16, webhooks: &Webhooks) -> String {
    let local = format!("http://127.0.0.1:{room}/hooks/alertmanager");
    let generic = webhooks.generic.as_ref().map(Url::as_str);
    let mut text = "    webhook_configs:".to_owned();
    for url in [local.as_str()].into_iter().chain(generic) {
        let _ = write!(text, "\n      - {{ url: {}, send_resolved: true }}", quoted(url));
    }
    if let Some(url) = &webhooks.slack {
        let _ =
            write!(text, "\n    slack_configs:\n      - {SLACK}\n        api_url: {}", quoted(url.as_str()));
    }
    let heartbeat =
        format!("    webhook_configs:\n      - {{ url: {}, send_resolved: false }}", quoted(&local));
    TEMPLATE.replace("{{integrations}}", &text).replace("{{heartbeat}}", &heartbeat)
}

/// The matchers name the window of the fastest page, which is another one on each clock. The waits stay those of the lab: they are
/// about people at a terminal, not about a period.
fn on_clock(configuration: &str, clock: Clock) -> String {
    let fastest = |clock: Clock| format!("\"{}\"", clock.pairs()[0].long);
    configuration.replace(&fastest(Clock::Lab), &fastest(clock))
}

/// A YAML double-quoted scalar accepts everything that a JSON string does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Title and colour are Alertmanager's defaults; the text has what a person needs to start.
const SLACK: &str = r#"send_resolved: true
        text: >-
          {{ range .Alerts }}{{ .Annotations.summary }} ({{ .Labels.severity }})
          <{{ .Annotations.runbook_url }}|runbook> <{{ .Annotations.dashboard_url }}|dashboard>
          {{ end }}"#;
