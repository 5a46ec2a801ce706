//! `lab logs --top`: how many requests there were, by one of their fields.

use chrono::{DateTime, Utc};
use observe::logs::{
    Line,
    access::{Access, Key, Tally},
};
use serde_json::json;

use super::Logs;
use crate::terminal::{json_line, out};

/// Rows of the table; the rest is added up in one more.
const MOST: usize = 10;

/// Requests, counted so far.
pub(super) struct Counted {
    key: Key,
    tally: Tally,
    /// Times of the first and the last of them.
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Counted {
    pub(super) fn new(key: Key) -> Self {
        Self { key, tally: Tally::new(key), span: None }
    }

    /// Counts the requests of a line; a line of another kind has none.
    pub(super) fn add(&mut self, line: &Line) {
        let Some(access) = Access::of(line) else { return };
        self.tally.add(&access);
        let (first, last) = self.span.unwrap_or((line.time, line.time));
        self.span = Some((first.min(line.time), last.max(line.time)));
    }

    /// # Errors
    /// When stdout is closed (`lab logs --json | head`).
    pub(super) fn print(&self, asked: &Logs) -> std::io::Result<()> {
        let Self { key, tally, span } = self;
        let rows = tally.top();
        if asked.json {
            return rows.iter().try_for_each(|(value, requests)| {
                let share = share(*requests, tally.total) / 100.0;
                json_line(&json!({ key.name(): value, "requests": requests, "share": share }))
            });
        }
        let Some((first, last)) = span else {
            out!(
                "no such request in the access log; ACCESS_LOG_RATE and LOG_LEVEL say what is written to it"
            );
            return Ok(());
        };
        out!("{:>10}  {:>7}  {}", "REQUESTS", "SHARE", key.name().to_uppercase());
        for (value, requests) in rows.iter().take(MOST) {
            row(*requests, tally.total, value);
        }
        if rows.len() > MOST {
            let rest = rows[MOST..].iter().map(|(_, requests)| requests).sum();
            row(rest, tally.total, &format!("({} others)", rows.len() - MOST));
        }
        let time = |at: &DateTime<Utc>| at.format("%H:%M:%S").to_string();
        let plural = if tally.total == 1 { "" } else { "s" };
        out!("{} request{plural} from {} to {} UTC", tally.total, time(first), time(last));
        if tally.without_line > 0 {
            out!(
                "{} of them have no line of their own; the lines between them represent them (ACCESS_LOG_RATE)",
                tally.without_line
            );
        }
        Ok(())
    }
}

fn row(requests: u64, total: u64, value: &str) {
    out!("{requests:>10}  {:>5.1} %  {value}", share(requests, total));
}

/// In per cent.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}
