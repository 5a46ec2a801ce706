//! The same question about the last seconds only: what came before an action is not in the answer. And how far back a
//! question looks.

use std::{mem, str::Chars, time::Duration};

use crate::model::Fresh;

/// The window, in PromQL. Five scrapes of a lab.
const WINDOW: &str = "[5s]";
/// The same.
const LOOKS_BACK: Duration = Duration::from_secs(5);
/// What is another question over another window: a number of events, a slope, a mean of a gauge, an alert, a recording.
const OTHERS: [&str; 9] =
    ["increase(", "delta(", "deriv(", "_over_time(", "changes(", "resets(", "offset", "slo:", "ALERTS"];

/// What grows and shrinks for a while after its cause: a number of waiting messages, an age, a count since the start. And a
/// series that a rule records, over a window that is not in the query.
const PILES: [&str; 6] = ["_lag", "_age_", "_bytes", "_fds", "_total", ":"];

/// The question about the last seconds only; nothing if it would be another one.
pub(super) fn fresh(query: &str) -> Option<Fresh> {
    if OTHERS.iter().any(|other| query.contains(other)) {
        return None;
    }
    if query.contains("rate(") {
        return Some(Fresh { query: cut(query)?, looks_back: LOOKS_BACK });
    }
    // What is so now, such as `up == 0`, says nothing about a moment ago.
    let is_instant = !query.contains('[') && !PILES.iter().any(|word| query.contains(word));
    is_instant.then(|| Fresh { query: query.to_owned(), looks_back: Duration::ZERO })
}

/// A query of rates with all of its windows cut to the shortest. A rate is one per second over any window.
fn cut(query: &str) -> Option<String> {
    let mut parts = query.split('[');
    let mut text = parts.next()?.to_owned();
    let mut windows = 0;
    for part in parts {
        let (window, rest) = part.split_once(']')?;
        let number = window.strip_suffix(['s', 'm'])?;
        // Anything else is a range with steps, or part of an expression in a label.
        number.parse::<u32>().ok()?;
        text.push_str(WINDOW);
        text.push_str(rest);
        windows += 1;
    }
    (windows > 0).then_some(text)
}

/// How far back a query looks: until that lies behind an action, the answer is also about what came before. It is the longest
/// window; a range with steps, such as `[30s:1s]`, adds to those of what it repeats. Zero without a window; those of recorded
/// series are not known here.
pub(super) fn longest(query: &str) -> Duration {
    // The longest within the innermost parentheses so far, and that of each that is still open around them.
    let (mut here, mut around) = (Duration::ZERO, Vec::new());
    let mut rest = query.chars();
    while let Some(next) = rest.next() {
        match next {
            // Brackets within a label are no window.
            '"' | '\'' | '`' => skip(&mut rest, next),
            '(' => around.push(mem::take(&mut here)),
            ')' => here = here.max(around.pop().unwrap_or_default()),
            '[' => {
                let Some((window, after)) = rest.as_str().split_once(']') else { break };
                rest = after.chars();
                let (range, steps) = window.split_once(':').unzip();
                let range = humantime::parse_duration(range.unwrap_or(window)).unwrap_or_default();
                // What a range with steps repeats is in the same parentheses: those of the function around both.
                here = if steps.is_some() { here.saturating_add(range) } else { here.max(range) };
            }
            _ => {}
        }
    }
    around.into_iter().fold(here, Duration::max)
}

/// Skips the rest of a text in quotes. After a backslash, a quote does not end it, except between backquotes.
fn skip(rest: &mut Chars<'_>, quote: char) {
    while let Some(next) = rest.next() {
        if next == quote {
            return;
        }
        if next == '\\' && quote != '`' {
            rest.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_rates_are_cut_and_everything_else_stays_as_it_is() {
        let rates = "sum(rate(a{s=~\"5..\"}[15s])) / sum(rate(b[1m])) > 0.3";
        let cut = "sum(rate(a{s=~\"5..\"}[5s])) / sum(rate(b[5s])) > 0.3".to_owned();
        assert_eq!(fresh(rates), Some(Fresh { query: cut, looks_back: Duration::from_secs(5) }));
        let tail = "histogram_quantile(0.9, sum by (le) (rate(c_bucket[30s]))) > 1";
        assert!(fresh(tail).is_some_and(|fresh| fresh.query.contains("c_bucket[5s]")));
    }

    #[test]
    fn what_is_so_now_is_asked_as_it_is() {
        for query in ["up{job=\"a\"} == 0", "scrape_samples_scraped{job=\"a\"} > 1500", "a / b > 0.8"] {
            assert_eq!(fresh(query), Some(Fresh { query: query.to_owned(), looks_back: Duration::ZERO }));
        }
    }

    #[test]
    fn windows_side_by_side_do_not_add_up_and_nested_ones_do() {
        let seconds = |query: &str| longest(query).as_secs();
        assert_eq!(seconds("sum(increase(a{s=~\"[45]..\"}[15s])) / sum(rate(b[1m])) > 3"), 60);
        assert_eq!(seconds("max_over_time(rate(a[15s])[30s:1s]) > 1"), 45);
        assert_eq!(seconds("rate(b[40s]) > max_over_time((rate(a[15s]) / sum(rate(b[20s])))[30s:])"), 50);
        assert_eq!(seconds("max_over_time(sum by (x) (rate(a[15s]))[30s:1s]) + rate(b[1m])"), 60);
        assert_eq!(seconds("min_over_time(max_over_time(rate(a[15s])[30s:1s])[1m:5s])"), 105);
        assert_eq!(seconds(r#"rate(a{b="(\"[1h]", c='[1h:]', d=`\`}[15s])"#), 15);
        assert_eq!((seconds("a > 100"), seconds("a[1h")), (0, 0));
    }

    #[test]
    fn what_would_be_another_question_is_not_asked() {
        for query in [
            "sum(increase(a[15s])) > 3",
            "deriv(a[15s]) > 3",
            "avg_over_time(a[10s]) > 5",
            "sum(kafka_consumer_lag{job=\"a\"}) > 100",
            "outbox_oldest_age_seconds{job=\"a\"} > 8",
            "process_open_fds > 800",
            "max(service:edge_failures:ratio_rate15s) > 0.1",
            "a_total > 100",
            "rate(a) > 1",
            "ALERTS{alertname=\"X\"} and rate(a[15s]) > 1",
            "max_over_time(rate(a[15s])[1m:1s]) > 1",
            "rate(a{b=~\"[45]..\"}[15s]) > 1",
            "rate(a[15s] offset 1m) > 1",
        ] {
            assert_eq!(fresh(query), None, "{query}");
        }
    }
}
