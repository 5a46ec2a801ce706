//! `lab traces` and `lab trace`: Jaeger's query API, as a list and as a waterfall in the terminal.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use observe::traces::{Search, Trace as Found};

use crate::{
    installation::Installation,
    terminal::{Row, json, out},
};

/// Newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab traces                                         traces of order-api\n  \
    lab traces --service order-worker --error          only those with an error\n  \
    lab traces --min-duration 250ms --limit 5\n  \
    lab trace ID                                       draw one of them")]
pub(crate) struct Traces {
    /// Service whose spans are searched.
    #[arg(long, default_value = "order-api")]
    service: String,
    /// Only traces with a span of that service at least this long, such as 250ms.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    min_duration: Option<std::time::Duration>,
    /// Only traces with an error in that service.
    #[arg(long)]
    error: bool,
    /// List at most this many.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// How far back to search.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    lookback: std::time::Duration,
    /// Print JSON, as Jaeger's API returns it.
    #[arg(long)]
    json: bool,
}

/// Each span is a bar on the trace's time line; `x` marks an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab trace 4bf92f3577b34da6a3ce929d0e0e4736\n  \
    lab trace --json ID | jq '.data[0].spans[].operationName'\n  \
    Trace ids are in `lab traces`, in log lines and in the trace_id of every error response.")]
pub(crate) struct Trace {
    /// The trace's id: 32 hexadecimal digits.
    id: String,
    /// Print JSON, as Jaeger's API returns it.
    #[arg(long)]
    json: bool,
}

impl Traces {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let search = Search {
            service: self.service.clone(),
            min_duration: self.min_duration,
            error: self.error,
            limit: self.limit,
            window: window(Utc::now(), self.lookback)?,
        };
        let answer = place.jaeger().await?.search(&search).await?;
        if self.json {
            json(&answer.raw)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut traces = answer.traces;
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.start()));
        out!(
            "{:12}  {:>10}  {:>5}  {:>6}  {:32}  ROOT",
            "TIME (UTC)",
            "DURATION",
            "SPANS",
            "ERRORS",
            "TRACE"
        );
        for trace in traces.iter().take(self.limit) {
            print_line(trace);
        }
        if traces.is_empty() {
            let lookback = humantime::format_duration(self.lookback);
            out!("no matching traces of `{}` in the last {lookback}", self.service);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Start and end of the search.
///
/// # Errors
/// When the start is before the first date that chrono can represent.
fn window(now: DateTime<Utc>, lookback: std::time::Duration) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let from =
        chrono::Duration::from_std(lookback).ok().and_then(|lookback| now.checked_sub_signed(lookback));
    Ok((from.context("--lookback reaches too far back")?, now))
}

fn print_line(trace: &Found) {
    let Some(&(root, _)) = trace.tree().first() else { return };
    let root = &trace.spans[root];
    let time = i64::try_from(trace.start()).ok().and_then(DateTime::<Utc>::from_timestamp_micros);
    let time = time.map_or_else(|| "?".to_owned(), |time| time.format("%H:%M:%S%.3f").to_string());
    let errors = trace.spans.iter().filter(|span| span.failed()).count();
    out!(
        "{time:12}  {:>10}  {:>5}  {errors:>6}  {:32}  {} {}",
        milliseconds(trace.length()),
        trace.spans.len(),
        trace.id,
        trace.service(root),
        root.operation_name,
    );
}

impl Trace {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        if self.id.is_empty() || self.id.len() > 32 || !self.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("`{}` is not a trace id: up to 32 hexadecimal digits", self.id);
        }
        let answer = place.jaeger().await?.trace(&self.id).await;
        let answer = answer.with_context(|| format!("trace {}", self.id))?;
        if self.json {
            json(&answer.raw)?;
            return Ok(ExitCode::SUCCESS);
        }
        let trace = answer.traces.first().filter(|trace| !trace.spans.is_empty());
        let trace = trace.with_context(|| {
            format!("no trace {}: not sampled, not arrived yet, or already dropped", self.id)
        })?;
        print_waterfall(trace, usize::from(console::Term::stdout().size().1));
        Ok(ExitCode::SUCCESS)
    }
}

fn print_waterfall(trace: &Found, width: usize) {
    out!("trace {}  {} in {} spans", trace.id, milliseconds(trace.length()), trace.spans.len());
    let tree = trace.tree();
    let label = |&(at, depth): &(usize, usize)| {
        let span = &trace.spans[at];
        let mark = if span.failed() { "x " } else { "" };
        format!("{}{mark}{} {}", "  ".repeat(depth), trace.service(span), span.operation_name)
    };
    let labels: Vec<String> = tree.iter().map(label).collect();
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(width / 2);
    let room = width.saturating_sub(longest + 14).clamp(20, 100);
    for ((at, _), label) in tree.iter().zip(&labels) {
        let span = &trace.spans[*at];
        let bar = bar(span.start_time - trace.start(), span.duration, trace.length(), room);
        let label: String = label.chars().take(longest).collect();
        let style = if span.failed() { console::Style::new().red() } else { console::Style::new() };
        Row::new()
            .painted(&style, format_args!("{label:longest$}"))
            .text(format_args!("  {bar}  {:>9}", milliseconds(span.duration)))
            .print();
        for tag in span.tags.iter().filter(|tag| span.failed() && TOLD.contains(&tag.key.as_str())) {
            let value = tag.value.as_str().map_or_else(|| tag.value.to_string(), str::to_owned);
            out!("{:longest$}    {} = {value}", "", tag.key);
        }
    }
}

/// Tags of a failed span that explain the failure.
const TOLD: &[&str] =
    &["error.type", "http.response.status_code", "otel.status_description", "exception.message"];

/// A bar of `room` columns: the span's place within the trace, at least one column wide.
fn bar(start: u64, duration: u64, whole: u64, room: usize) -> String {
    let columns =
        |time: u64| usize::try_from(time.saturating_mul(room as u64) / whole.max(1)).unwrap_or(room);
    let from = columns(start).min(room - 1);
    let to = columns(start.saturating_add(duration)).clamp(from + 1, room);
    format!("{}{}{}", "·".repeat(from), "█".repeat(to - from), "·".repeat(room - to))
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_back_is_a_window_that_ends_now() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let seconds = std::time::Duration::from_secs;
        let (from, until) = window(now, seconds(60)).unwrap();
        assert_eq!((from.timestamp(), until), (999_940, now));
        assert!(window(now, seconds(u64::MAX)).is_err());
    }

    #[test]
    fn a_bar_is_where_its_span_is_and_never_empty() {
        assert_eq!(bar(0, 100, 100, 10), "██████████");
        assert_eq!(bar(20, 30, 100, 10), "··███·····");
        assert_eq!(bar(100, 0, 100, 10), "·········█");
        assert_eq!(bar(0, 0, 0, 4), "█···");
    }
}
