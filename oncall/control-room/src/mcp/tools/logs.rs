//! Log lines.

use chrono::{TimeDelta, Utc};
use observe::logs::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer,
    asked::logged,
    bounds::{first, limit, shortened, since},
};
use crate::{
    error::{Error, Result},
    eyes::Wanted,
    mcp::caller::Caller,
    room::Room,
};

/// Lines of an answer, usually and at most.
const LINES: (usize, usize) = (50, 200);
/// How far back, if the caller does not say.
const USUAL: TimeDelta = TimeDelta::minutes(15);
/// Longest message, and longest field, in characters.
const LONGEST: (usize, usize) = (1000, 300);

/// Which lines. At least one of service, level, text and trace: all lines of all parts are too many to read.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogsAsked {
    /// Only of this service or store, such as order-api or postgres.
    service: Option<String>,
    /// Of this level and the more severe ones: ERROR, WARN, INFO, DEBUG, TRACE.
    level: Option<String>,
    /// Only lines with this text.
    text: Option<String>,
    /// Only lines of this trace.
    trace: Option<String>,
    /// Not older than this: an instant (RFC 3339) or how long ago, such as 5m; 15m, if absent; at most 6h.
    since: Option<String>,
    /// The newest lines, 1 to 200; 50, if absent.
    limit: Option<usize>,
}

/// The newest lines that match, newest first.
///
/// # Errors
/// When nothing narrows the search, a value is wrong, or the lines cannot be read.
pub(crate) async fn logs(room: &Room, caller: &Caller, asked: LogsAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "search_logs", arguments, look(room, asked)).await
}

async fn look(room: &Room, asked: LogsAsked) -> Result<Answer> {
    let (wanted, most) = wanted(asked)?;
    let lines = room.eyes.logs.lines(&wanted).await?;
    let (lines, cut) = first(lines.iter().rev().map(row).collect(), most, "");
    let note = cut.map(|_| {
        format!("only the newest {} lines are here: narrow the time, the level or the text", lines.len())
    });
    Ok(Answer::new(json!({ "since": wanted.since, "lines": lines })).noting(note))
}

/// The search, with one line more than is shown: it tells whether others are left out.
fn wanted(asked: LogsAsked) -> Result<(Wanted, usize)> {
    let LogsAsked { service, level, text, trace, since: from, limit: most } = asked;
    if [&service, &level, &text, &trace].into_iter().all(Option::is_none) {
        return Err(Error::field("service", "a service; or one of `level`, `text` and `trace`"));
    }
    let most = limit(most, LINES.0, LINES.1)?;
    let since = since(from.as_deref(), USUAL, Utc::now())?;
    let wanted =
        Wanted { services: service.into_iter().collect(), level, text, trace, since, limit: most + 1 };
    Ok((wanted, most))
}

fn row(line: &Line) -> Value {
    let fields = line.fields.iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => Value::String(shortened(text, LONGEST.1)),
            Value::Array(_) | Value::Object(_) => Value::String(shortened(&value.to_string(), LONGEST.1)),
            value => value.clone(),
        };
        (name.clone(), value)
    });
    json!({
        "at": line.time, "service": line.part, "level": line.level,
        "message": shortened(&line.message, LONGEST.0), "fields": Value::Object(fields.collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: Option<&str>) -> LogsAsked {
        let service = service.map(str::to_owned);
        LogsAsked { service, level: None, text: None, trace: None, since: None, limit: None }
    }

    #[test]
    fn something_has_to_narrow_the_search() {
        let refused = wanted(asked(None)).unwrap_err().to_string();
        assert!(refused.starts_with("service: a service; or one of"), "{refused}");
        let (found, most) = wanted(asked(Some("order-api"))).unwrap();
        assert_eq!((found.services, found.limit, most), (vec!["order-api".to_owned()], 51, 50));
        let many = LogsAsked { limit: Some(201), ..asked(Some("order-api")) };
        assert!(wanted(many).unwrap_err().to_string().contains("1 to 200"));
    }

    #[test]
    fn long_messages_and_fields_are_cut() {
        let text = format!(
            r#"{{"timestamp":"2026-06-01T12:00:00Z","level":"ERROR","message":"{}","body":"{}","n":1}}"#,
            "m".repeat(1001),
            "b".repeat(301)
        );
        let line = observe::logs::parse("order-api", &text, Utc::now());
        let row = row(&line);
        assert!(row["message"].as_str().unwrap().ends_with("(1 characters more)"), "{row}");
        assert!(row["fields"]["body"].as_str().unwrap().ends_with("(1 characters more)"), "{row}");
        assert_eq!((&row["fields"]["n"], &row["level"]), (&json!(1), &json!("ERROR")));
    }
}
