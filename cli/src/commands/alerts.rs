//! `lab alerts`: what is pending and firing in Prometheus, and what reached Alertmanager. Debian's packages have no page
//! for either.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    commands,
    home::Home,
    http,
    terminal::{json, out},
};

/// Exits with 1 while something fires, so that a script can wait for a page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab alerts\n  \
    lab alerts --json | jq '.prometheus[] | select(.state == \"firing\") | .labels.alertname'\n  \
    lab alerts --clean-for 5m      fail as soon as anything pends or fires: a healthy lab keeps silent\n  \
    watch -n1 lab alerts")]
pub(crate) struct Alerts {
    /// For scripts.
    #[arg(long)]
    json: bool,
    /// Watch for so long; exit 1 with the first alert that pends or fires, 0 when there was none.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "json")]
    clean_for: Option<Duration>,
}

/// As often as Prometheus evaluates its rules.
const PERIOD: Duration = Duration::from_secs(1);

impl Alerts {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let state = commands::lab(home)?;
        let url = |name: &str| {
            let port = state.port(name).with_context(|| format!("{name} does not run"))?;
            anyhow::Ok(format!("http://127.0.0.1:{port}"))
        };
        let prometheus = format!("{}/api/v1/alerts", url("prometheus")?);
        if let Some(time) = self.clean_for {
            return watch(&prometheus, time).await;
        }
        let seen = alerts(&prometheus).await?;
        let paged = http::get(&format!("{}/api/v2/alerts", url("alertmanager")?)).await?;
        let firing = seen.as_array().into_iter().flatten().any(|alert| alert["state"] == "firing");
        if self.json {
            json(&json!({ "prometheus": seen, "alertmanager": paged }))?;
        } else {
            print(&seen, &paged);
        }
        Ok(if firing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

async fn alerts(url: &str) -> Result<Value> {
    Ok(http::get(url).await?["data"]["alerts"].take())
}

async fn watch(url: &str, time: Duration) -> Result<ExitCode> {
    let began = Instant::now();
    let mut looks = 0_u32;
    loop {
        let seen = alerts(url).await?;
        let seen = seen.as_array().map(Vec::as_slice).unwrap_or_default();
        looks += 1;
        if !seen.is_empty() {
            out!("not clean after {:.0} s:", began.elapsed().as_secs_f64());
            seen.iter().for_each(print_one);
            return Ok(ExitCode::FAILURE);
        }
        if began.elapsed() >= time {
            out!(
                "clean for {}: nothing pending, nothing firing, asked {looks} times",
                humantime::format_duration(time)
            );
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(PERIOD.min(time.saturating_sub(began.elapsed()))).await;
    }
}

fn print_one(alert: &Value) {
    let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
    let note = |name: &str| alert["annotations"][name].as_str().unwrap_or_default();
    let state = alert["state"].as_str().unwrap_or_default();
    out!("{state:8} {:6} {} since {}", label("severity"), label("alertname"), since(&alert["activeAt"]));
    out!("         {}", note("summary"));
    out!("         {}", note("description"));
    out!("         runbook: {}", note("runbook_url"));
    out!("         dashboard: {}", note("dashboard_url"));
}

fn print(seen: &Value, paged: &Value) {
    let seen = seen.as_array().map(Vec::as_slice).unwrap_or_default();
    if seen.is_empty() {
        out!("nothing pending, nothing firing");
    }
    seen.iter().for_each(print_one);
    let paged = paged.as_array().map(Vec::as_slice).unwrap_or_default();
    let active = paged.iter().filter(|alert| alert["status"]["state"] == "active").count();
    out!("");
    out!("Alertmanager: {active} active, {} silenced or inhibited", paged.len() - active);
    for alert in paged {
        let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
        let state = alert["status"]["state"].as_str().unwrap_or_default();
        out!("  {state:10} {} {} since {}", label("alertname"), label("service"), since(&alert["startsAt"]));
    }
}

fn since(time: &Value) -> String {
    let parsed = time.as_str().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    parsed.map_or_else(
        || "?".to_owned(),
        |time| {
            let ago = (Utc::now() - time.with_timezone(&Utc)).num_seconds().max(0);
            format!("{} UTC ({ago} s ago)", time.format("%H:%M:%S"))
        },
    )
}
