//! `lab alerts`: what is pending and firing in Prometheus, and what reached Alertmanager. Debian's packages have no page
//! for either.

use std::process::ExitCode;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::print_json;
use crate::{commands, home::Home, http};

/// Exits with 1 while something fires, so that a script can wait for a page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab alerts\n  \
    lab alerts --json | jq '.prometheus[] | select(.state == \"firing\") | .labels.alertname'\n  \
    watch -n1 lab alerts")]
pub(crate) struct Alerts {
    /// For scripts.
    #[arg(long)]
    json: bool,
}

impl Alerts {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let state = commands::lab(home)?;
        let url = |name: &str| {
            let port = state.port(name).with_context(|| format!("{name} does not run"))?;
            anyhow::Ok(format!("http://127.0.0.1:{port}"))
        };
        let mut seen = http::get(&format!("{}/api/v1/alerts", url("prometheus")?)).await?;
        let seen = seen["data"]["alerts"].take();
        let paged = http::get(&format!("{}/api/v2/alerts", url("alertmanager")?)).await?;
        let firing = seen.as_array().into_iter().flatten().any(|alert| alert["state"] == "firing");
        if self.json {
            print_json(&json!({ "prometheus": seen, "alertmanager": paged }))?;
        } else {
            print(&seen, &paged);
        }
        Ok(if firing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn print(seen: &Value, paged: &Value) {
    let seen = seen.as_array().map(Vec::as_slice).unwrap_or_default();
    if seen.is_empty() {
        println!("nothing pending, nothing firing");
    }
    for alert in seen {
        let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
        let note = |name: &str| alert["annotations"][name].as_str().unwrap_or_default();
        let state = alert["state"].as_str().unwrap_or_default();
        println!(
            "{state:8} {:8} {} since {}",
            label("severity"),
            label("alertname"),
            since(&alert["activeAt"])
        );
        println!("         {}", note("summary"));
        println!("         {}", note("description"));
        println!("         runbook: {}", note("runbook_url"));
    }
    let paged = paged.as_array().map(Vec::as_slice).unwrap_or_default();
    let active = paged.iter().filter(|alert| alert["status"]["state"] == "active").count();
    println!("\nAlertmanager: {active} active, {} silenced or inhibited", paged.len() - active);
    for alert in paged {
        let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
        let state = alert["status"]["state"].as_str().unwrap_or_default();
        println!(
            "  {state:10} {} {} since {}",
            label("alertname"),
            label("service"),
            since(&alert["startsAt"])
        );
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
