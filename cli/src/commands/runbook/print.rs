//! Runs and steps, as they are printed.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::terminal::out;

/// `RUN-7   DeadLetters                      ask     waiting for approval    2 min  ada`
pub(super) fn line(run: &Value) -> String {
    let state = run["ending"].as_str().unwrap_or_else(|| word(&run["state"])).replace('_', " ");
    let since =
        at(&run["started_at"]).map_or_else(String::new, |at| lasting((Utc::now() - at).num_seconds()));
    format!(
        "{:7} {:32} {:6}  {:20} {:>7} ago  {}",
        word(&run["id"]),
        word(&run["runbook"]),
        word(&run["mode"]),
        state,
        since,
        word(&run["by"])
    )
}

/// A run with all of its steps.
pub(super) fn whole(run: &Value) {
    out!("{}", line(run));
    out!("  {}", word(&run["title"]));
    if let Some(incident) = run["incident"].as_str() {
        out!("  for {incident}: lab incident show {incident}");
    }
    for one in each(&run["steps"]) {
        step(one);
    }
    if let Some(next) = run["next"].as_str() {
        out!("  next: {next}");
    }
    request(run);
    ending(run);
}

/// A step in two lines: how far it is, and what happened or what would.
pub(super) fn step(step: &Value) {
    let mark = match word(&step["state"]) {
        "done" => "done",
        "now" => "now",
        "skipped" => "left out",
        "failed" => "not so",
        _ => "",
    };
    let by = step["by"].as_str().map_or_else(String::new, |by| format!("  ({by})"));
    out!("  {mark:8}  {} ({}){by}", word(&step["name"]), word(&step["kind"]));
    let text = word(&step["text"]);
    if !text.is_empty() {
        out!("            {text}");
    }
    if step["state"] == "now" {
        for branch in each(&step["branches"]) {
            out!("            {:20} {}", word(&branch["name"]), word(&branch["what"]));
        }
    }
}

/// What a second person is asked, if one is.
pub(super) fn request(run: &Value) {
    let request = &run["request"];
    if request.is_null() {
        return;
    }
    out!("  a second person approves: {}", word(&request["why"]));
    for change in each(&request["changes"]) {
        out!("    {}", word(change));
    }
    let not: Vec<&str> = each(&request["not"]).iter().map(word).collect();
    if !not.is_empty() {
        out!("  not by {}: they work on it", not.join(", "));
    }
    out!("  digest: {}", word(&request["digest"]));
}

/// How it ended, if it has.
pub(super) fn ending(run: &Value) {
    let Some(ending) = run["ending"].as_str() else { return };
    let lasted = at(&run["started_at"]).zip(at(&run["ended_at"]));
    let lasted = lasted.map_or_else(String::new, |(from, until)| {
        format!(" after {}", lasting((until - from).num_seconds()))
    });
    out!("{} {ending}{lasted}: {}", word(&run["id"]), word(&run["why"]));
    for undone in each(&run["undone"]) {
        out!("  taken back: {}", word(undone));
    }
    for left in each(&run["left"]) {
        out!("  stays: {}", word(left));
    }
}

/// In the largest unit that is above one.
pub(super) fn lasting(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// An instant, if it is one.
pub(super) fn at(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

pub(super) fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_one_line_and_says_how_it_is_or_how_it_ended() {
        let started = Utc::now() - chrono::TimeDelta::minutes(3);
        let mut run = json!({
            "id": "RUN-7", "runbook": "DeadLetters", "mode": "ask", "state": "waiting_for_approval", "ending": null,
            "started_at": started, "by": "ada",
        });
        assert!(line(&run).starts_with("RUN-7   DeadLetters"), "{}", line(&run));
        assert!(line(&run).contains("waiting for approval") && line(&run).ends_with("3 min ago  ada"));
        run["ending"] = json!("succeeded");
        assert!(line(&run).contains("succeeded"), "{}", line(&run));
    }
}
