//! The control room of a lab, as tests ask it: incidents, their timelines, who was notified. And how tests freeze and kill parts.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::lab::{BACK, Lab, eventually, kill, signal, text};

/// From a cause to what follows it: seconds by the rules, with a margin for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// Until an incident ends by itself: a machine that is busy burns other budgets, and these pages have to end first.
const OVER: Duration = Duration::from_secs(240);

/// A part whose process is stopped. It continues when this is dropped, even by a failing test.
pub(crate) struct Frozen(Value);

impl Frozen {
    pub(crate) fn part(lab: &Lab, name: &str) -> Self {
        let pid = lab.part(name)["pid"].clone();
        signal(&pid, Signal::STOP);
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let pid = self.0.as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        // One that was killed meanwhile takes no signal, and needs none.
        let _ = pid.map(|pid| kill_process(pid, Signal::CONT));
    }
}

impl Lab {
    /// The open incidents.
    pub(crate) fn incidents(&self) -> Vec<Value> {
        self.json(&["incident", "list", "--json"]).as_array().expect("an array").clone()
    }

    pub(crate) fn incident(&self, id: &str) -> Value {
        self.json(&["incident", "show", id, "--json"])
    }

    pub(crate) fn timeline(&self, id: &str) -> Vec<Value> {
        self.json(&["incident", "timeline", id, "--json"]).as_array().expect("an array").clone()
    }

    /// All incidents but this one that page, open or not, as they are shown alone.
    pub(crate) fn other_pages(&self, id: &str) -> Vec<Value> {
        let all = self.json(&["incident", "list", "--all", "--json"]);
        let others = all.as_array().expect("an array").iter().filter(|one| pages(one) && one["id"] != id);
        others.map(|one| self.incident(one["id"].as_str().unwrap_or_default())).collect()
    }

    /// Who was notified of an incident, oldest first.
    pub(crate) fn notified(&self, id: &str) -> Vec<Value> {
        let pages = self.json(&["pages", "--json"]);
        let of_it = |page: &&Value| page["kind"] == "person" && page["incident"] == id;
        pages.as_array().expect("an array").iter().filter(of_it).cloned().collect()
    }

    /// What is known of an incident, a line each: its timeline, what reached the phone, all incidents. For the message of an
    /// assertion, so it fails at nothing.
    pub(crate) fn account(&self, id: &str) -> String {
        let list = |args: &[&str]| {
            let output = self.run(args);
            let read = serde_json::from_slice::<Value>(&output.stdout).ok();
            let failed = || vec![Value::from(text(&output.stderr))];
            read.and_then(|value| value.as_array().cloned()).unwrap_or_else(failed)
        };
        let lines = |title: &str, all: &[Value], line: fn(&Value) -> String| {
            // What could not be read is what was said instead.
            let said = |one: &Value| one.as_str().map_or_else(|| line(one), str::to_owned);
            let lines: String = all.iter().map(|one| format!("\n  {}", said(one))).collect();
            format!("\n{title}{lines}")
        };
        lines(&format!("timeline of {id}"), &list(&["incident", "timeline", id, "--json"]), entry)
            + &lines("phone", &list(&["pages", "--json"]), page)
            + &lines("incidents", &list(&["incident", "list", "--all", "--json"]), summary)
    }

    /// Asserts that nobody was notified twice for one step of an incident, and no news of an alert was taken twice.
    #[track_caller]
    pub(crate) fn assert_told_once(&self, id: &str) {
        let all = self.json(&["pages", "--json"]);
        let mut seen = BTreeSet::new();
        for page in all.as_array().expect("an array").iter().filter(|page| page["incident"] == id) {
            let key = match page["kind"].as_str() {
                Some("person") => ["step", "person", "channel"],
                Some("alert") => ["labels", "starts_at", "status"],
                _ => continue,
            };
            let key = key.map(|field| page[field].to_string());
            assert!(seen.insert(key), "twice: {}{}", self::page(page), self.account(id));
        }
    }

    /// Waits until the incident is in this state.
    pub(crate) async fn becomes(&self, id: &str, state: &str) -> Value {
        eventually(OVER, || async {
            let incident = self.incident(id);
            if incident["state"] == state { Ok(incident) } else { Err(format!("not {state}: {incident:#}")) }
        })
        .await
    }

    /// Waits for an incident that pages, and for its first page to a person. Tickets are others: of a control room that is
    /// killed, for example.
    pub(crate) async fn opened(&self, within: Duration) -> (String, Value) {
        eventually(within, || async {
            let mut incidents = self.incidents();
            incidents.retain(pages);
            let [incident] = incidents.as_slice() else { return Err(format!("not one: {incidents:#?}")) };
            let id = incident["id"].as_str().expect("an id").to_owned();
            let first = self.notified(&id).first().cloned();
            first.map(|page| (id, page)).ok_or_else(|| format!("nobody was notified of {incident:#}"))
        })
        .await
    }

    /// Waits for the draft of its postmortem and an entry of this kind; returns the draft and the timeline, which is in the order
    /// of time.
    pub(crate) async fn written_up(&self, id: &str, kind: &str) -> (String, Vec<Value>) {
        let (written, timeline) = eventually(SOON, || async {
            let output = self.run(&["incident", "postmortem", id]);
            let written = text(&output.stdout);
            let timeline = self.timeline(id);
            let whole = written.contains("## ") && timeline.iter().any(|entry| entry["kind"] == kind);
            if whole { Ok((written, timeline)) } else { Err(format!("{written}{}", self.account(id))) }
        })
        .await;
        let sorted = timeline.iter().map(|entry| at(&entry["at"])).is_sorted();
        assert!(sorted, "not in order: {}", self.account(id));
        (written, timeline)
    }

    /// Waits until the window of the fastest page is full of healthy traffic.
    pub(crate) async fn healthy(&self) {
        eventually(SOON, || async {
            let shop =
                r#"min_over_time(service:http_requests:rate15s{job=~"order-api|user-service"}[15s]) > 1"#;
            let seen = self.query(shop).await;
            (seen.len() == 2).then_some(()).ok_or_else(|| format!("both services have traffic: {seen:?}"))
        })
        .await;
    }

    /// Kills the control room, and waits until it is back.
    pub(crate) async fn kill_the_control_room(&self) {
        let before = self.part("control-room");
        kill(&before["pid"]);
        eventually(BACK, || async {
            let now = self.part("control-room");
            let back = now["pid"] != before["pid"] && now["ready"] == true;
            if back { Ok(()) } else { Err(format!("not back: {now}")) }
        })
        .await;
    }
}

/// Whether people are paged for an incident.
fn pages(incident: &Value) -> bool {
    incident["severity"] == "SEV-1" || incident["severity"] == "SEV-2"
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn entry(entry: &Value) -> String {
    let source = entry["source"]["name"].as_str().unwrap_or_else(|| word(&entry["source"]["kind"]));
    format!("{} {:15} {} ({source})", word(&entry["at"]), word(&entry["kind"]), word(&entry["text"]))
}

fn page(page: &Value) -> String {
    let fields =
        ["received_at", "kind", "incident", "person", "step", "alertname", "status", "starts_at", "text"];
    let words = fields.iter().filter_map(|field| page[*field].as_str());
    words.collect::<Vec<_>>().join(" ")
}

fn summary(incident: &Value) -> String {
    let fields = ["id", "severity", "state", "opened_at", "changed_at", "title"];
    fields.map(|field| word(&incident[field])).join(" ")
}

pub(crate) fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("a time: {value}"))
}

/// When the first entry of this kind happened.
pub(crate) fn first(timeline: &[Value], kind: &str) -> DateTime<Utc> {
    let found = timeline.iter().find(|entry| entry["kind"] == kind);
    let lines = || timeline.iter().map(|one| format!("\n  {}", entry(one))).collect::<String>();
    at(&found.unwrap_or_else(|| panic!("no {kind} in{}", lines()))["at"])
}

/// When the first entries of these kinds happened, which must be in this order.
pub(crate) fn in_order(timeline: &[Value], kinds: &[&str]) -> Vec<DateTime<Utc>> {
    let times: Vec<_> = kinds.iter().map(|kind| first(timeline, kind)).collect();
    let lines = || timeline.iter().map(|one| format!("\n  {}", entry(one))).collect::<String>();
    assert!(times.is_sorted(), "{kinds:?}: {times:?} in{}", lines());
    times
}
