//! Every call of a tool, in the journal: who asked what, when, and whether it was answered. For instructors,
//! so that no responder learns from another; how many there were is for everyone.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::{Answer, bounds::shortened};
use crate::{
    bus::Kind,
    error::Result,
    mcp::{
        caller::{Caller, Via},
        effect::Effect,
    },
    room::Room,
    store::time,
};

/// Longest text of an argument that is kept.
const KEPT: usize = 500;
/// Most calls that are counted.
const COUNTED: i64 = 20_000;

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// The tool.
    pub tool: &'static str,
    /// Who asked.
    pub by: String,
    /// On which way.
    pub via: Via,
    /// Whether it only looks.
    pub reads: bool,
    /// What was asked; long texts are cut.
    pub arguments: Value,
    /// Why it was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Whether something is missing in the answer.
    pub cut: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Does the work of a tool, and writes it down.
///
/// # Errors
/// Those of the work; or when the journal fails.
pub(super) async fn logged(
    room: &Room,
    caller: &Caller,
    tool: &'static str,
    arguments: Value,
    work: impl Future<Output = Result<Answer>>,
) -> Result<Answer> {
    let began = Instant::now();
    let answer = work.await;
    let row = Asked {
        tool,
        by: caller.visitor.name.clone(),
        via: caller.via,
        reads: Effect::of(tool) == Some(Effect::Reads),
        arguments: cut(arguments),
        refused: answer.as_ref().err().map(ToString::to_string),
        cut: answer.as_ref().is_ok_and(Answer::is_cut),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let mut writing = room.store.begin().await?;
    writing.journal(Utc::now(), Kind::Asked, None, true, &row).await?;
    writing.commit(&room.bus).await?;
    answer
}

/// The same value with its long texts cut.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(shortened(&text, KEPT)),
        Value::Array(list) => Value::Array(list.into_iter().map(cut).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, cut(value))).collect())
        }
        value => value,
    }
}

/// Which calls.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageAsked {
    /// Only calls from this instant on (RFC 3339); the last hour, if absent.
    since: Option<DateTime<Utc>>,
    /// Only calls of this person or program.
    by: Option<String>,
}

/// What is counted of a row.
#[derive(Debug, Deserialize)]
struct Counted {
    tool: String,
    by: String,
    reads: bool,
    #[serde(default)]
    arguments: Value,
}

/// How many calls there were: of tools that look, of actions that were not dry runs, and by tool.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) async fn usage(room: &Room, asked: &UsageAsked) -> Result<Answer> {
    let since = asked.since.unwrap_or_else(|| Utc::now() - TimeDelta::hours(1));
    let kind: &'static str = Kind::Asked.into();
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT data FROM journal WHERE kind = ? AND at >= ? ORDER BY seq LIMIT ?")
            .bind(kind)
            .bind(time::micros(since))
            .bind(COUNTED)
            .fetch_all(room.store.read())
            .await?;
    let rows: serde_json::Result<Vec<Counted>> = rows.iter().map(|row| serde_json::from_str(row)).collect();
    Ok(Answer::new(count(&rows?, asked.by.as_deref())))
}

fn count(rows: &[Counted], by: Option<&str>) -> Value {
    let (mut tools, mut queries, mut actions) = (BTreeMap::<&str, u64>::new(), 0_u64, 0_u64);
    for row in rows.iter().filter(|row| by.is_none_or(|by| row.by == by)) {
        *tools.entry(row.tool.as_str()).or_default() += 1;
        queries += u64::from(row.reads);
        actions += u64::from(row.tool == "act" && row.arguments["dry_run"] != true);
    }
    json!({ "queries": queries, "actions": actions, "by_tool": tools })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_real_actions_are_counted_for_one_caller_or_for_all() {
        let row = |tool: &str, by: &str, reads: bool, arguments: Value| Counted {
            tool: tool.to_owned(),
            by: by.to_owned(),
            reads,
            arguments,
        };
        let rows = [
            row("query_metrics", "a", true, json!({})),
            row("query_metrics", "b", true, json!({})),
            row("act", "a", false, json!({ "dry_run": true })),
            row("act", "a", false, json!({ "dry_run": false })),
            row("submit_done", "a", false, json!(null)),
        ];
        let tools = json!({ "act": 2, "query_metrics": 1, "submit_done": 1 });
        assert_eq!(count(&rows, Some("a")), json!({ "queries": 1, "actions": 1, "by_tool": tools }));
        assert_eq!(count(&rows, None)["queries"], 2);
    }

    #[test]
    fn long_texts_are_cut_wherever_they_are() {
        let long = "x".repeat(KEPT + 1);
        let kept = cut(json!({ "a": [long], "n": 1 }));
        assert!(kept["a"][0].as_str().unwrap().ends_with("(1 characters more)"), "{kept}");
        assert_eq!(kept["n"], 1);
    }
}
