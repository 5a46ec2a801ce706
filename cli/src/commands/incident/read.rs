//! Reading: lists, one incident, its timeline, its postmortem.

use anyhow::Result;
use chrono::{DateTime, Local, Utc};
use clap::Args;
use observe::ControlRoom;
use serde_json::Value;

use crate::{
    commands::ids,
    terminal::{block, json, out},
};

/// Which incidents.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Include those that have ended.
    #[arg(long)]
    all: bool,
    /// Only those of this severity, such as SEV-2.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Only those that affect this service.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// At most this number, the newest first.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One incident.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Its timeline.
#[derive(Debug, Args)]
pub(super) struct Timeline {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// Only entries of this kind, such as action.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Its postmortem.
#[derive(Debug, Args)]
pub(super) struct Postmortem {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
}

impl List {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        if !self.all {
            query.push(("open", "true"));
        }
        query.extend(self.severity.as_deref().map(|severity| ("severity", severity)));
        query.extend(self.service.as_deref().map(|service| ("service", service)));
        let answer = room.get("/api/v1/incidents", &query).await?;
        if self.json {
            return json(&answer["incidents"]);
        }
        let found = answer["incidents"].as_array().map_or(&[][..], Vec::as_slice);
        if found.is_empty() {
            out!(
                "{}",
                if self.all { "no incidents" } else { "no open incidents; --all lists the ended ones" }
            );
        }
        found.iter().for_each(|incident| out!("{}", line(incident)));
        Ok(())
    }
}

impl Show {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let incident = room.get(&format!("/api/v1/incidents/{}", self.incident), &[]).await?;
        if self.json {
            return json(&incident);
        }
        out!("{}", line(&incident));
        incident["description"].as_str().unwrap_or_default().lines().for_each(|line| out!("  {line}"));
        out!("  opened     {}", time(&incident["opened_at"]));
        if let Some(by) = incident["acknowledged"]["by"].as_str() {
            out!("  works      {by}, since {}", time(&incident["acknowledged"]["at"]));
        }
        for (role, person) in incident["roles"].as_object().into_iter().flatten() {
            out!("  {role:10} {}", word(person));
        }
        if let Some(next) = incident["escalation"]["next"].as_str() {
            let who = words(&incident["escalation"]["next_who"]);
            out!("  next       {who} at {}", time(&Value::from(next)));
        }
        for member in each(&incident["alerts"]) {
            let ended = if member["ended_at"].is_null() { "firing" } else { "ended" };
            out!(
                "  alert      {ended:6} {}: {}",
                word(&member["alert"]["name"]),
                word(&member["alert"]["summary"])
            );
        }
        for one in each(&incident["hypotheses"]) {
            out!("  hypothesis {} {}: {}", one["id"], word(&one["verdict"]), word(&one["text"]));
        }
        for task in each(&incident["tasks"]) {
            let done = if task["done_at"].is_null() { "open" } else { "done" };
            out!("  task       {} {done}: {}", task["id"], word(&task["text"]));
        }
        out!("  timeline   lab incident timeline {}", word(&incident["id"]));
        Ok(())
    }
}

impl Timeline {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let query: Vec<_> = self.kind.as_deref().map(|kind| ("kind", kind)).into_iter().collect();
        let answer = room.get(&format!("/api/v1/incidents/{}/timeline", self.incident), &query).await?;
        if self.json {
            return json(&answer["timeline"]);
        }
        for entry in each(&answer["timeline"]) {
            out!(
                "{}  {:15} {:13} {}",
                time(&entry["at"]),
                word(&entry["kind"]),
                entry["source"]["name"].as_str().unwrap_or("control room"),
                word(&entry["text"])
            );
            for evidence in each(&entry["evidence"]) {
                out!("{:28}{}", "", word(&evidence["query"]));
                for line in word(&evidence["answer"]).lines() {
                    out!("{:28}  {line}", "");
                }
            }
        }
        Ok(())
    }
}

impl Postmortem {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let answer = room.get(&format!("/api/v1/incidents/{}/postmortem", self.incident), &[]).await?;
        block(word(&answer["text"]));
        Ok(())
    }
}

/// `INC-7  SEV-2  active     2 min  orders fail (order-api)`
pub(super) fn line(incident: &Value) -> String {
    let opened = incident["opened_at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let age = opened.map_or_else(String::new, |at| age((Utc::now() - at).num_seconds().max(0)));
    format!(
        "{:7} {:5}  {:9} {:>6}  {}",
        word(&incident["id"]),
        word(&incident["severity"]),
        word(&incident["state"]),
        age,
        word(&incident["title"])
    )
}

/// In the largest unit that is above one.
fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A time on this machine's clock.
fn time(value: &Value) -> String {
    let at = value.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    at.map_or_else(|| "-".to_owned(), |at| at.with_timezone(&Local).format("%H:%M:%S").to_string())
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn words(value: &Value) -> String {
    each(value).iter().map(word).collect::<Vec<_>>().join(", ")
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_incident_is_one_line() {
        let mut incident =
            json!({ "id": "INC-7", "severity": "SEV-2", "state": "active", "title": "orders fail" });
        assert_eq!(line(&incident), "INC-7   SEV-2  active            orders fail");
        incident["opened_at"] = json!(Utc::now() - chrono::TimeDelta::minutes(3));
        assert_eq!(line(&incident), "INC-7   SEV-2  active     3 min  orders fail");
        assert_eq!([age(119), age(120), age(7200), age(200_000)], ["119 s", "2 min", "2 h", "2 d"]);
    }
}
