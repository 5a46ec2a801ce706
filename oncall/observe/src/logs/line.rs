//! One log line, whichever part wrote it: JSON of our programs, logfmt of Prometheus, the formats of PostgreSQL and Redis.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};

/// A parsed line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The part that wrote it.
    pub part: String,
    /// Its time; a line without one gets that of the line before it.
    pub time: DateTime<Utc>,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG`, `TRACE`.
    pub level: &'static str,
    /// The text for people.
    pub message: String,
    /// The other fields, sorted by name.
    pub fields: Map<String, Value>,
    /// The line as it was written.
    pub text: String,
}

/// Levels from the most severe to the least.
pub const LEVELS: &[&str] = &["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// Parses a line; never fails: a line in an unknown format is a message.
#[must_use]
pub fn parse(part: &str, text: &str, before: DateTime<Utc>) -> Line {
    let line = json(text).or_else(|| logfmt(text)).or_else(|| postgres(text)).or_else(|| redis(text));
    let (time, level, message, fields) =
        line.unwrap_or_else(|| (before, "INFO", text.to_owned(), Map::new()));
    Line { part: part.to_owned(), time, level, message, fields, text: text.to_owned() }
}

type Parsed = (DateTime<Utc>, &'static str, String, Map<String, Value>);

fn level(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "error" | "err" | "fatal" | "panic" | "#critical" => "ERROR",
        "warn" | "warning" => "WARN",
        "debug" => "DEBUG",
        "trace" => "TRACE",
        _ => "INFO",
    }
}

fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// Our programs: `timestamp`, `level`, `message`, and their fields. Jaeger: `ts`, `level`, `msg`.
fn json(text: &str) -> Option<Parsed> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return None };
    let time = ["timestamp", "time", "ts"].iter().find_map(|name| fields.remove(*name));
    let time = rfc3339(time?.as_str()?)?;
    let word = fields.remove("level").unwrap_or_default();
    let message = ["message", "msg"].iter().find_map(|name| fields.remove(*name)).unwrap_or_default();
    let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    Some((time, level(word.as_str().unwrap_or_default()), message, fields))
}

/// Prometheus and Alertmanager: `ts=… caller=… level=warn msg="…" key=value`.
fn logfmt(text: &str) -> Option<Parsed> {
    let mut fields = Map::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => after
                .split_once(' ')
                .map_or((after.to_owned(), ""), |(value, after)| (value.to_owned(), after)),
        };
        fields.insert(name.trim().to_owned(), Value::from(value));
        rest = after.trim_start();
    }
    let mut take = |name: &str| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let time = take("ts").or_else(|| take("time"))?;
    let word = take("level").unwrap_or_default();
    let message = take("msg").unwrap_or_default();
    Some((rfc3339(&time)?, level(&word), message, fields))
}

/// Up to the closing quote, with `\"` and `\\` unescaped.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(char),
        }
    }
    None
}

/// `2026-11-21 06:17:01.123 UTC [42] LOG:  checkpoint starting`.
fn postgres(text: &str) -> Option<Parsed> {
    let (time, rest) = text.split_once(" UTC [")?;
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S%.f").ok()?.and_utc();
    let (_, rest) = rest.split_once("] ")?;
    let (word, message) = rest.split_once(": ")?;
    let level = match word {
        "ERROR" | "FATAL" | "PANIC" => "ERROR",
        "WARNING" => "WARN",
        word if word.starts_with("DEBUG") => "DEBUG",
        _ => "INFO",
    };
    Some((time, level, message.trim().to_owned(), Map::new()))
}

/// `42:M 21 Nov 2026 06:17:01.123 * Ready to accept connections`. Redis writes local time, which is UTC for every part.
fn redis(text: &str) -> Option<Parsed> {
    let (_, rest) = text.split_once(' ')?;
    let mut words = rest.splitn(6, ' ');
    let stamp: Vec<&str> = words.by_ref().take(4).collect();
    let time = NaiveDateTime::parse_from_str(&stamp.join(" "), "%d %b %Y %H:%M:%S%.f").ok()?;
    let time = time.and_utc();
    let level = match words.next()? {
        "#" => "WARN",
        "." | "-" => "DEBUG",
        _ => "INFO",
    };
    Some((time, level, words.next()?.to_owned(), Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, &'static str, String) {
        let line = parse("part", text, DateTime::<Utc>::UNIX_EPOCH);
        (line.time.format("%H:%M:%S%.3f").to_string(), line.level, line.message)
    }

    #[test]
    fn the_lines_of_every_part_are_read() {
        let time = "06:17:01.123".to_owned();
        let expected = |level, message: &str| (time.clone(), level, message.to_owned());
        let json = r#"{"timestamp":"2026-11-21T06:17:01.123Z","level":"ERROR","message":"request failed","status":500}"#;
        assert_eq!(read(json), expected("ERROR", "request failed"));
        let logfmt = r#"ts=2026-11-21T06:17:01.123Z caller=main.go:1 level=warn msg="a \"b\" c" err=x"#;
        assert_eq!(read(logfmt), expected("WARN", r#"a "b" c"#));
        let postgres = "2026-11-21 06:17:01.123 UTC [42] LOG:  duration: 612 ms";
        assert_eq!(read(postgres), expected("INFO", "duration: 612 ms"));
        let redis = "42:M 21 Nov 2026 06:17:01.123 * Ready to accept connections";
        assert_eq!(read(redis), expected("INFO", "Ready to accept connections"));
    }

    #[test]
    fn a_line_in_an_unknown_format_is_kept_with_the_time_of_the_line_before() {
        assert_eq!(read("  at main.rs:3"), ("00:00:00.000".to_owned(), "INFO", "  at main.rs:3".to_owned()));
    }
}
