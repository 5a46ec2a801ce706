//! `lab alerts`: the alerts that are pending or firing in Prometheus, and those that reached Alertmanager. Debian's
//! packages ship no web page for either.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use observe::{
    Prometheus,
    alertmanager::Told,
    prometheus::{Alert, Labels},
};
use serde_json::json;

use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// Exits with 1 while an alert fires, so that a script can wait for a page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab alerts\n  \
    lab alerts --json | jq '.prometheus[] | select(.state == \"firing\") | .labels.alertname'\n  \
    lab --prometheus http://host:9090 alerts   any installation; add --alertmanager URL for Alertmanager's view\n  \
    lab alerts --clean-for 5m      exit 1 with the first alert in the next 5 minutes\n  \
    watch -n1 lab alerts")]
pub(crate) struct Alerts {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Watch for this long, such as 5m: exit 1 with the first alert that is pending or firing, 0 if there was none.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "json")]
    clean_for: Option<Duration>,
}

/// As often as Prometheus evaluates the fast rules.
const PERIOD: Duration = Duration::from_secs(1);

impl Alerts {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let prometheus = place.prometheus().await?;
        if let Some(time) = self.clean_for {
            return watch(&prometheus, time).await;
        }
        let seen = prometheus.alerts().await?;
        let told = match place.has_alertmanager() {
            true => Some(place.alertmanager().await?.alerts().await?),
            false => None,
        };
        if self.json {
            // `Value` sorts the fields by name, so that the output is stable.
            json(&json!({ "prometheus": seen, "alertmanager": told }))?;
        } else {
            print(&seen, told.as_deref());
        }
        let firing = seen.iter().any(|alert| alert.state == "firing");
        Ok(if firing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

async fn watch(prometheus: &Prometheus, time: Duration) -> Result<ExitCode> {
    let began = Instant::now();
    let mut looks = 0_u32;
    loop {
        let seen = prometheus.alerts().await?;
        looks += 1;
        if !seen.is_empty() {
            out!("an alert is active after {:.0} s:", began.elapsed().as_secs_f64());
            seen.iter().for_each(print_one);
            return Ok(ExitCode::FAILURE);
        }
        if began.elapsed() >= time {
            out!(
                "clean for {}: nothing pending, nothing firing, checked {looks} times",
                humantime::format_duration(time)
            );
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(PERIOD.min(time.saturating_sub(began.elapsed()))).await;
    }
}

fn word<'a>(words: &'a Labels, name: &str) -> &'a str {
    words.get(name).map_or("", String::as_str)
}

fn print_one(alert: &Alert) {
    let (label, note) = (|name| word(&alert.labels, name), |name| word(&alert.annotations, name));
    let (state, since) = (&alert.state, since(alert.active_at));
    out!("{state:8} {:6} {} since {since}", label("severity"), label("alertname"));
    out!("         {}", note("summary"));
    out!("         {}", note("description"));
    out!("         runbook: {}", note("runbook_url"));
    out!("         dashboard: {}", note("dashboard_url"));
}

fn print(seen: &[Alert], told: Option<&[Told]>) {
    if seen.is_empty() {
        out!("nothing pending, nothing firing");
    }
    seen.iter().for_each(print_one);
    out!("");
    let Some(told) = told else {
        return out!("Alertmanager was not asked: add --alertmanager URL");
    };
    let active = told.iter().filter(|alert| alert.status.state == "active").count();
    out!("Alertmanager: {active} active, {} silenced or inhibited", told.len() - active);
    for alert in told {
        let label = |name| word(&alert.labels, name);
        let (state, since) = (&alert.status.state, since(Some(alert.starts_at)));
        out!("  {state:10} {} {} since {since}", label("alertname"), label("service"));
    }
}

fn since(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(
        || "?".to_owned(),
        |time| {
            let ago = (Utc::now() - time).num_seconds().max(0);
            format!("{} UTC ({ago} s ago)", time.format("%H:%M:%S"))
        },
    )
}
