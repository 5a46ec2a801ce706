//! `lab pages`: what reached the pager, as the phone of the person on call would show it.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use chrono::DateTime;
use clap::Args;
use serde_json::Value;

use crate::{
    commands,
    home::Home,
    http,
    terminal::{json, json_line, out},
};

/// How often `--follow` asks; the pager answers from memory.
const PERIOD: Duration = Duration::from_millis(500);

/// Pages and tickets, oldest first: what `lab alerts` shows is what fires, this is what somebody was told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab pages\n  \
    lab pages --follow                     be paged; Ctrl-C ends it\n  \
    lab pages --json | jq '.[] | select(.severity == \"page\" and .status == \"firing\") | .alertname'\n  \
    lab pages --follow --json              one page a line\n\n\
    Routes, groups and what mutes what: docs/alerting.md")]
pub(crate) struct Pages {
    /// Go on with every new page.
    #[arg(long, short)]
    follow: bool,
    /// For scripts; with --follow one JSON document a line.
    #[arg(long)]
    json: bool,
}

impl Pages {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let port = commands::lab(home)?.port("lab-pager-admin").context("the pager does not run")?;
        let mut last = 0;
        loop {
            let pages = http::get(&format!("http://127.0.0.1:{port}/pages?after={last}")).await?;
            let list = pages.as_array().map(Vec::as_slice).unwrap_or_default();
            last = list.iter().filter_map(|page| page["id"].as_u64()).max().unwrap_or(last);
            match (self.json, self.follow) {
                (true, false) => json(&pages)?,
                (true, true) => list.iter().try_for_each(json_line)?,
                (false, follow) => print(list, follow),
            }
            if !self.follow {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

fn print(pages: &[Value], follow: bool) {
    if pages.is_empty() && !follow {
        out!("no pages");
    }
    for page in pages {
        out!("{}", line(page));
        let note = |name: &str| page["annotations"][name].as_str();
        // An end needs no reading.
        if page["status"] == "firing" {
            for (title, name) in
                [("", "description"), ("runbook: ", "runbook_url"), ("dashboard: ", "dashboard_url")]
            {
                if let Some(text) = note(name) {
                    out!("             {title}{text}");
                }
            }
        }
        if let Some(text) = page["text"].as_str() {
            text.lines().for_each(|line| out!("             {line}"));
        }
    }
}

/// `10:03:12.345  FIRING    page    OrderAvailabilityBudgetBurn  orders fail (2.1 s after its start)`
fn line(page: &Value) -> String {
    let word = |name: &str| page[name].as_str().unwrap_or("-");
    let time = |name: &str| DateTime::parse_from_rfc3339(page[name].as_str()?).ok();
    let received = time("received_at");
    let at = received.map_or_else(|| "?".to_owned(), |time| time.format("%H:%M:%S%.3f").to_string());
    let since = if page["status"] == "resolved" { time("ends_at") } else { time("starts_at") };
    let delay = received.zip(since).map(|(received, since)| {
        // Milliseconds to tenths of a second: far below what f64 can hold.
        let tenths = (received - since).num_milliseconds().max(0) / 100;
        let event = if page["status"] == "resolved" { "end" } else { "start" };
        format!(" ({}.{} s after its {event})", tenths / 10, tenths % 10)
    });
    let summary = page["annotations"]["summary"].as_str().unwrap_or_default();
    format!(
        "{at} {:8} {:6} {}  {summary}{}",
        word("status").to_uppercase(),
        word("severity"),
        word("alertname"),
        delay.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_one_line_with_its_delay() {
        let mut page = json!({
            "received_at": "2026-11-21T10:00:02.345Z", "status": "firing", "severity": "page", "alertname": "NoTraffic",
            "starts_at": "2026-11-21T10:00:00.100Z", "annotations": { "summary": "order-api gets no requests" },
        });
        assert_eq!(
            line(&page),
            "10:00:02.345 FIRING   page   NoTraffic  order-api gets no requests (2.2 s after its start)"
        );
        page["status"] = json!("resolved");
        page["ends_at"] = json!("2026-11-21T10:00:02.300Z");
        assert!(line(&page).ends_with("(0.0 s after its end)"), "{}", line(&page));
        let chat = json!({ "received_at": "2026-11-21T10:00:02.345Z", "status": null, "text": "hello" });
        assert_eq!(line(&chat), "10:00:02.345 -        -      -  ");
    }
}
