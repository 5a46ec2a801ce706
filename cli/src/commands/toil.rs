//! `lab toil …`: what manual work costs people, and what of it is worth automating.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// The ledger of toil: work that is manual, repeats, and leaves nothing better.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab toil report                   the last four weeks\n  \
    lab toil report --since 7d\n  \
    lab toil report --json | jq '.candidates[0]'\n\n\
    At most half of a team's time should be toil: docs/automation.md")]
pub(crate) struct ToilCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show minutes by task and alert, the share of the time on call, and what is worth automating.
    Report(Report),
}

/// Which time.
#[derive(Debug, Args)]
struct Report {
    /// How far to look back, such as 7d or 12h.
    #[arg(long, value_name = "DURATION", default_value = "28d", value_parser = span)]
    since: TimeDelta,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn span(text: &str) -> Result<TimeDelta, String> {
    let expected = || "expected a time such as 7d or 12h".to_owned();
    let span = humantime::parse_duration(text).map_err(|_| expected())?;
    TimeDelta::from_std(span).ok().filter(|span| *span <= TimeDelta::days(3660)).ok_or_else(expected)
}

impl ToilCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let Command::Report(asked) = self.command;
        let room = place.control_room().await?;
        let since = (Utc::now() - asked.since).to_rfc3339();
        let report = room.get("/api/v1/toil", &[("since", &since)]).await?;
        if asked.json {
            json(&report)?;
        } else {
            print(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(report: &Value) {
    let minutes = |class: &str| number(&report["minutes"][class]);
    out!(
        "reactive {:.1} min, remediation {:.1} min, project {:.1} min, overhead {:.1} min",
        minutes("reactive"),
        minutes("remediation"),
        minutes("project"),
        minutes("overhead")
    );
    match report["share"].as_f64() {
        None => out!("nobody was on call, so there is no share of that time"),
        Some(share) => {
            let word = if report["over_cap"] == true { "above" } else { "below" };
            out!("{:.1} % of the time on call was toil: {word} the cap of 50 %", share * 100.0);
        }
    }
    let tasks = list(&report["tasks"]);
    if tasks.is_empty() {
        out!("no manual work was recorded");
    } else {
        out!("");
        out!("{:34} {:>8}  {:>5}  {:>9}  {:>9}  alerts", "task", "minutes", "times", "median", "automated");
    }
    for task in tasks {
        let alerts: Vec<&str> = list(&task["alerts"]).iter().filter_map(Value::as_str).collect();
        out!(
            "{:34} {:>8.1}  {:>5}  {:>5.1} min  {:>9}  {}",
            word(&task["name"]),
            number(&task["minutes"]),
            task["times"].as_u64().unwrap_or_default(),
            number(&task["median"]),
            task["automated"].as_u64().unwrap_or_default(),
            alerts.join(", ")
        );
    }
    alerts(report);
    candidates(report);
    weeks(report);
}

/// The same work by alert, whatever the task.
fn alerts(report: &Value) {
    let alerts = list(&report["alerts"]);
    if !alerts.is_empty() {
        out!("");
        out!("{:34} {:>8}  {:>5}  {:>9}", "alert", "minutes", "times", "automated");
    }
    for alert in alerts {
        let count = |name: &str| alert[name].as_u64().unwrap_or_default();
        let (times, automated) = (count("times"), count("automated"));
        out!("{:34} {:>8.1}  {times:>5}  {automated:>9}", word(&alert["name"]), number(&alert["minutes"]));
    }
}

/// The trend, if there is one.
fn weeks(report: &Value) {
    let weeks = list(&report["weeks"]);
    if weeks.len() < 2 {
        return;
    }
    out!("");
    out!("{:12} {:>8}", "week from", "toil");
    for week in weeks {
        let day = word(&week["from"]).split('T').next().unwrap_or_default();
        out!("{day:12} {:>6.1} min", number(&week["minutes"]));
    }
}

/// What is worth automating, and what automation has saved.
fn candidates(report: &Value) {
    let candidates = list(&report["candidates"]);
    if !candidates.is_empty() {
        out!("");
        out!("worth automating, the one that pays first; what automating costs is assumed, not estimated");
    }
    for one in candidates {
        out!(
            "{:34} {:>6.1} min a week, costs about {:.0} min once, pays after {:.1} weeks",
            word(&one["name"]),
            number(&one["minutes_a_week"]),
            number(&one["cost"]),
            number(&one["pays_after_weeks"])
        );
    }
    for one in list(&report["automated"]) {
        let minutes = |value: &Value| value.as_f64().map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"));
        let (before, after) = (minutes(&one["before"]), minutes(&one["after"]));
        out!("{:34} automated: {before} min a week before, {after} since", word(&one["name"]));
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_time_of_at_most_ten_years() {
        assert_eq!(span("7d"), Ok(TimeDelta::days(7)));
        for wrong in ["", "7", "1000y", "soon"] {
            assert_eq!(span(wrong).unwrap_err(), "expected a time such as 7d or 12h", "{wrong}");
        }
    }
}
