//! Lines of logs: time, level, who, what; all fields on demand.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub part: String,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG`, `TRACE`.
    pub level: &'static str,
    /// The text for people.
    pub message: String,
    /// The other fields.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// The trace that it belongs to.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == "trace_id").map(|(_, value)| value.as_str())
    }
}

/// The lines in their order.
#[must_use]
pub fn entries(lines: &[Entry]) -> Markup {
    html! {
        div.b-logs tabindex="0" role="region" aria-label="Log lines, newest first" {
            ol { @for line in lines { (entry(line)) } }
        }
    }
}

fn entry(line: &Entry) -> Markup {
    html! {
        li class={"b-log " (tone(line.level))} {
            time datetime=(line.at.to_rfc3339()) { (line.at.format("%H:%M:%S%.3f").to_string()) }
            span.b-level { (line.level) }
            span.b-part { (line.part) }
            @if line.fields.is_empty() { span.b-message { (line.message) } } @else { (details(line)) }
            @if let Some(trace) = line.trace() { a.b-trace href={"/explore/traces/" (trace)} { "trace" } }
        }
    }
}

fn details(line: &Entry) -> Markup {
    html! {
        details.b-message {
            summary { (line.message) }
            dl { @for (name, value) in &line.fields { dt { (name) } dd { (value) } } }
        }
    }
}

fn tone(level: &str) -> &'static str {
    match level {
        "ERROR" => "k-red",
        "WARN" => "k-yellow",
        "INFO" => "k-blue",
        _ => "k-text",
    }
}
