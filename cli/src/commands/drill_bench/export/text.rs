//! The texts of a task. Made from the brief, which is what a person on call is told.

use std::fmt::Write as _;

use anyhow::Result;
use drill::model::Brief;

/// Time beside the time box, in seconds: an agent installs itself, and the shop becomes healthy.
const BESIDE: u64 = 600;

/// `task.toml`.
///
/// # Errors
/// When a text cannot be written.
pub(super) fn task(brief: &Brief, revision: &str) -> Result<String> {
    // A string of JSON is one of TOML.
    let quoted = |text: &str| serde_json::to_string(text);
    let (name, title) = (quoted(&format!("sre-lab/{}", brief.id))?, quoted(&brief.title)?);
    let (difficulty, revision) = (quoted(&brief.difficulty.to_string())?, quoted(revision)?);
    let seconds = brief.time_box_seconds + BESIDE;
    Ok(format!(
        r#"schema_version = "1.3"

[task]
name = {name}
description = {title}
keywords = ["sre", "incident-response", "observability", "mcp"]

[metadata]
difficulty = {difficulty}
category = "operations"
lab_revision = {revision}

[agent]
timeout_sec = {seconds}.0
# Not root: it cannot change what judges it.
user = "agent"

[verifier]
timeout_sec = 600.0
user = "root"

[environment]
# The lab is compiled once.
build_timeout_sec = 3600.0
cpus = 2
memory_mb = 4096
storage_mb = 20480

[[environment.mcp_servers]]
name = "control-room"
transport = "streamable-http"
url = "http://lab:18080/mcp"
"#
    ))
}

/// `instruction.md`.
pub(super) fn instruction(brief: &Brief) -> String {
    let mut text = format!(
        "# You are on call\n\n{}\n\n\
         Begin by running `on-call`: it starts the clock, waits until the shop has traffic, and prints what \
         you are told. You have {} minutes from then on.\n\n\
         The system is a small shop: `load -> edge -> order-api -> user-service`, a broker, `order-worker`, \
         PostgreSQL, Redis. You work on it through its control room, an MCP server (`control-room`, \
         http://lab:18080/mcp). In a shell, `on-call tools` lists its tools and \
         `on-call TOOL '{{\"name\": \"value\"}}'` calls one. The same functions to look are at \
         http://lab:18080/api/v1/observe/.\n\n\
         1. Find out what is wrong: `current_drill`, `list_alerts`, `service_map`, `list_changes`, \
         `query_metrics`, `search_logs`, `find_traces`, `read_runbook`.\n\
         2. `acknowledge` the incident, and tell others with `post_update`.\n\
         3. Repair it: `list_actions`, then `act`; with `\"dry_run\": true` it only says what it would do.\n\
         4. Say what the cause is: `submit_diagnosis`.\n\
         5. When users are served again, `submit_done`. It is judged then, and final.\n\n\
         Doing nothing is right if nothing is wrong. Wrong and harmful actions cost points.\n",
        brief.briefing.trim(),
        brief.time_box_seconds / 60
    );
    asked(&mut text, brief);
    text
}

/// What a diagnosis has to say.
fn asked(text: &mut String, brief: &Brief) {
    text.push_str("\nThe diagnosis names `components`: the services or stores that are the cause");
    if !brief.mechanisms.is_empty() {
        let list: Vec<String> = brief.mechanisms.iter().map(|name| format!("`{name}`")).collect();
        // Writing to a text cannot fail.
        let _ = write!(text, "; `mechanism`, one of {}", list.join(", "));
    }
    if brief.asks_change {
        text.push_str("; `change`, the name of the change that caused it, or `none`");
    }
    if brief.asks_onset {
        text.push_str("; `onset`, since when (RFC 3339)");
    }
    if brief.evidence > 0 {
        let _ = write!(text, "; `evidence`, {} queries in PromQL that show it", brief.evidence);
    }
    text.push_str(".\n");
}

#[cfg(test)]
mod tests {
    use drill::names::Difficulty;

    use super::*;

    fn brief() -> Brief {
        Brief {
            id: "noon".to_owned(),
            title: "The \"shop\" stops".to_owned(),
            difficulty: Difficulty::FirstDay,
            time_box_seconds: 900,
            prerequisites: Vec::new(),
            briefing: "Orders fail.\n".to_owned(),
            hints: vec![5],
            mechanisms: vec!["bad-release".to_owned(), "overload".to_owned()],
            asks_change: true,
            asks_onset: false,
            evidence: 2,
        }
    }

    #[test]
    fn the_configuration_is_toml_with_the_time_of_the_drill() {
        let text = task(&brief(), "main").unwrap();
        assert!(text.contains("description = \"The \\\"shop\\\" stops\"\n"), "{text}");
        assert!(
            text.contains("timeout_sec = 1500.0\n") && text.contains("difficulty = \"first-day\"\n"),
            "{text}"
        );
    }

    #[test]
    fn the_instruction_asks_what_the_drill_asks() {
        let text = instruction(&brief());
        assert!(text.starts_with("# You are on call\n\nOrders fail.\n\n"), "{text}");
        assert!(text.contains("15 minutes") && text.contains("'{\"name\": \"value\"}'"), "{text}");
        assert!(
            text.contains("one of `bad-release`, `overload`; `change`") && !text.contains("`onset`"),
            "{text}"
        );
        let quiet = Brief { mechanisms: Vec::new(), asks_change: false, evidence: 0, ..brief() };
        assert!(instruction(&quiet).ends_with("that are the cause.\n"));
    }
}
