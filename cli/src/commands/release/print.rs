//! Releases, as they are printed.

use std::time::Duration;

use serde_json::Value;

use crate::terminal::out;

/// A text; nothing for anything else.
pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a list.
pub(super) fn each(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// `REL-7   order-api      0.1.0 -> v2   rolled-back   ada   Give users less time`
pub(super) fn line(release: &Value) -> String {
    let versions = format!("{} -> {}", word(&release["old"]), word(&release["new"]));
    format!(
        "{:7} {:13} {versions:20} {:13} {:10} {}",
        word(&release["id"]),
        word(&release["service"]),
        word(&release["state"]),
        word(&release["by"]),
        word(&release["why"])
    )
}

/// Where it is now, in a line.
pub(super) fn progress(release: &Value) -> String {
    let state = word(&release["state"]);
    match (release["weight"].as_u64(), release["opinion"]["requests"].as_u64()) {
        (Some(weight), Some(requests)) => {
            // A new line for each tenth of the requests, not for each request.
            let needed = release["opinion"]["needed"].as_u64().unwrap_or_default().max(1);
            let percent = (requests.saturating_mul(10) / needed).min(10) * 10;
            format!("canary {weight} %, {percent} % of {needed} requests")
        }
        _ => match release["next"].as_str() {
            Some(next) => format!("{state}: {next}"),
            None => format!("{state}: {}", word(&release["reason"])),
        },
    }
}

/// A release with all of its steps.
pub(super) fn whole(release: &Value) {
    out!("{}", line(release));
    out!("  new: {}", word(&release["differs"]));
    for step in each(&release["steps"]) {
        let weight = step["weight"].as_u64().unwrap_or_default();
        let verdict = step["opinion"]["verdict"].as_str().unwrap_or_else(|| word(&step["state"]));
        let why = word(&step["opinion"]["why"]);
        out!("  {weight:>3} %  {verdict:12}  {why}");
    }
    let opinion = &release["opinion"];
    if !opinion.is_null() {
        out!("  now: {}", word(&opinion["why"]));
        each(&opinion["signals"]).iter().for_each(signal);
    }
    if let Some(next) = release["next"].as_str() {
        out!("  next: {next}");
    }
    if let Some(reason) = release["reason"].as_str() {
        out!("  {}: {reason}", word(&release["state"]));
    }
    if word(&release["state"]) == "held" {
        let id = word(&release["id"]);
        out!("  decide: lab release continue {id} WHY, or lab release abort {id} WHY");
    }
}

fn signal(signal: &Value) {
    out!("    {:12} {}: {}", word(&signal["verdict"]), word(&signal["name"]), word(&signal["why"]));
}

/// The four figures of delivery.
pub(super) fn figures(figures: &Value) {
    let per_day = figures["per_day"].as_f64().unwrap_or_default();
    let released = figures["deployments"].as_u64().unwrap_or_default();
    out!("deployment frequency   {per_day:.2} per day ({released} in 30 days)");
    out!("lead time for changes  {}", time(&figures["lead_time"]));
    let failures = &figures["failures"];
    match failures["share"].as_f64() {
        Some(share) => {
            let some = failures["some"].as_u64().unwrap_or_default();
            let all = failures["all"].as_u64().unwrap_or_default();
            let end = |at: usize| failures["interval"][at].as_f64().unwrap_or_default() * 100.0;
            let (low, high) = (end(0), end(1));
            let share = share * 100.0;
            out!(
                "change failure rate    {share:.0} % ({some} of {all}; 95 % interval {low:.0} to {high:.0} %)"
            );
        }
        None => out!("change failure rate    no users met a change"),
    }
    out!("time to restore        {}", time(&figures["restore"]));
    let lasting = figures["lasting"].as_u64().unwrap_or_default();
    if lasting > 0 {
        out!("not repaired yet       {lasting} failed changes");
    }
}

/// A median with what it is of.
fn time(summary: &Value) -> String {
    let Some(median) = summary["median"].as_f64() else { return "nothing yet".to_owned() };
    let whole = |seconds: f64| {
        let time = Duration::try_from_secs_f64(seconds.max(0.0).round()).unwrap_or_default();
        humantime::format_duration(time).to_string()
    };
    let p90 = summary["p90"].as_f64().unwrap_or(median);
    let n = summary["n"].as_u64().unwrap_or_default();
    format!("median {}, 90th percentile {}, of {n}", whole(median), whole(p90))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn progress_is_a_line_that_changes_when_there_is_news() {
        let watched = |requests: u64| json!({ "state": "watch", "weight": 5, "next": "x", "opinion": { "requests": requests, "needed": 800 } });
        assert_eq!(progress(&watched(81)), "canary 5 %, 10 % of 800 requests");
        assert_eq!(progress(&watched(82)), progress(&watched(81)));
        assert_eq!(progress(&watched(9000)), "canary 5 %, 100 % of 800 requests");
        assert_eq!(progress(&watched(0)), "canary 5 %, 0 % of 800 requests");
        let over = json!({ "state": "rolled-back", "next": null, "reason": "worse at 5 %", "opinion": null });
        assert_eq!(progress(&over), "rolled-back: worse at 5 %");
    }

    #[test]
    fn a_time_of_nothing_is_said_to_be_nothing() {
        assert_eq!(time(&Value::Null), "nothing yet");
        let summary = json!({ "n": 3, "median": 61.2, "p90": 120.0 });
        assert_eq!(time(&summary), "median 1m 1s, 90th percentile 2m, of 3");
    }
}
