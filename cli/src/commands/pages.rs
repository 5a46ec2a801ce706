//! `lab pages`: what the control room was told and whom it notified, as it would appear on the phone of the person on call.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use observe::control_room::Page;

use crate::{
    installation::Installation,
    terminal::{json, json_line, out},
};

/// How often `--follow` asks.
const PERIOD: Duration = Duration::from_millis(500);

/// Pages and tickets, oldest first, and who was notified of which incident. `lab alerts` shows what fires; `lab incident` is for acting.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab pages\n  \
    lab pages --follow                     be paged; Ctrl-C ends it\n  \
    lab pages --json | jq '.[] | select(.severity == \"page\" and .status == \"firing\") | .alertname'\n  \
    lab pages --follow --json              one page per line\n\n\
    Routes, groups and inhibitions: docs/alerting.md")]
pub(crate) struct Pages {
    /// Keep printing new pages until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Print JSON; with --follow, one JSON document per line.
    #[arg(long)]
    json: bool,
}

impl Pages {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let room = place.control_room().await?;
        let mut last = 0;
        loop {
            let pages = room.pages(last).await?;
            last = pages.iter().map(|page| page.id).max().unwrap_or(last);
            match (self.json, self.follow) {
                (true, false) => json(&serde_json::to_value(&pages)?)?,
                (true, true) => {
                    for page in &pages {
                        json_line(&serde_json::to_value(page)?)?;
                    }
                }
                (false, follow) => print(&pages, follow),
            }
            if !self.follow {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

fn print(pages: &[Page], follow: bool) {
    if pages.is_empty() && !follow {
        out!("no pages");
    }
    for page in pages {
        out!("{}", line(page));
        // The end of an alert needs no description.
        if page.status.as_deref() == Some("firing") {
            for (title, name) in
                [("", "description"), ("runbook: ", "runbook_url"), ("dashboard: ", "dashboard_url")]
            {
                if let Some(text) = page.annotations.get(name) {
                    out!("             {title}{text}");
                }
            }
        }
        if let Some(text) = page.text.as_ref().filter(|_| page.person.is_none()) {
            text.lines().for_each(|line| out!("             {line}"));
        }
    }
}

/// `10:03:12.345  FIRING    page    OrderAvailabilityBudgetBurn  orders fail (2.1 s after its start)`
fn line(page: &Page) -> String {
    if let Some(person) = &page.person {
        return notified(page, person);
    }
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    let resolved = page.status.as_deref() == Some("resolved");
    let (since, event) = if resolved { (page.ends_at, "end") } else { (page.starts_at, "start") };
    let delay = since.map(|since| {
        // From milliseconds to tenths of a second: far below what f64 can hold.
        let tenths = (page.received_at - since).num_milliseconds().max(0) / 100;
        format!(" ({}.{} s after its {event})", tenths / 10, tenths % 10)
    });
    format!(
        "{} {:8} {:6} {}  {}{}",
        page.received_at.format("%H:%M:%S%.3f"),
        word(&page.status).to_uppercase(),
        word(&page.severity),
        word(&page.alertname),
        page.annotations.get("summary").map_or("", String::as_str),
        delay.unwrap_or_default()
    )
}

/// `10:03:12.345 NOTIFIED ada by phone: INC-1: orders fail`
fn notified(page: &Page, person: &str) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} NOTIFIED {person} by {}: {}",
        page.received_at.format("%H:%M:%S%.3f"),
        word(&page.channel),
        word(&page.text),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_one_line_with_its_delay() {
        let line = |page: &serde_json::Value| line(&serde_json::from_value(page.clone()).unwrap());
        let mut page = json!({
            "id": 1, "received_at": "2026-11-21T10:00:02.345Z", "status": "firing", "severity": "page",
            "alertname": "NoTraffic", "starts_at": "2026-11-21T10:00:00.100Z",
            "annotations": { "summary": "order-api gets no requests" },
        });
        assert_eq!(
            line(&page),
            "10:00:02.345 FIRING   page   NoTraffic  order-api gets no requests (2.2 s after its start)"
        );
        page["status"] = json!("resolved");
        page["ends_at"] = json!("2026-11-21T10:00:02.300Z");
        assert!(line(&page).ends_with("(0.0 s after its end)"), "{}", line(&page));
        let chat =
            json!({ "id": 2, "received_at": "2026-11-21T10:00:02.345Z", "status": null, "text": "hello" });
        assert_eq!(line(&chat), "10:00:02.345 -        -      -  ");
    }
}
