//! The same question about the last seconds only: what came before an action is not in the answer. And how far back a
//! question looks.

use std::time::Duration;

/// The window, in PromQL. Five scrapes of a lab.
const WINDOW: &str = "[5s]";
/// What is another question over another window: a number of events, a slope, a mean of a gauge, an alert, a recording.
const OTHERS: [&str; 9] =
    ["increase(", "delta(", "deriv(", "_over_time(", "changes(", "resets(", "offset", "slo:", "ALERTS"];

/// A query of rates with all of its windows cut to the shortest; nothing if that asks for something else. A rate is one per
/// second over any window.
pub(super) fn fresh(query: &str) -> Option<String> {
    if !query.contains("rate(") || OTHERS.iter().any(|other| query.contains(other)) {
        return None;
    }
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

/// The longest window of a query: until it lies behind an action, the answer is also about what came before. Zero without a
/// window; those of recorded series are not known here.
pub(super) fn longest(query: &str) -> Duration {
    let windows = query.split('[').skip(1).filter_map(|part| part.split_once(']'));
    // Of a range with steps, the range. What is in brackets within a label is no duration.
    let ranges = windows.filter_map(|(window, _)| humantime::parse_duration(window.split(':').next()?).ok());
    ranges.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_rates_are_cut_and_everything_else_stays_as_it_is() {
        let rates = "sum(rate(a{s=~\"5..\"}[15s])) / sum(rate(b[1m])) > 0.3";
        assert_eq!(fresh(rates).as_deref(), Some("sum(rate(a{s=~\"5..\"}[5s])) / sum(rate(b[5s])) > 0.3"));
        let tail = "histogram_quantile(0.9, sum by (le) (rate(c_bucket[30s]))) > 1";
        assert!(fresh(tail).is_some_and(|text| text.contains("c_bucket[5s]")));
    }

    #[test]
    fn the_longest_window_is_how_far_back_a_question_looks() {
        let seconds = |query: &str| longest(query).as_secs();
        assert_eq!(seconds("sum(increase(a{s=~\"[45]..\"}[15s])) / sum(rate(b[1m])) > 3"), 60);
        assert_eq!(seconds("max_over_time(rate(a[15s])[30s:1s]) > 1"), 30);
        assert_eq!((seconds("a > 100"), seconds("a[1h")), (0, 0));
    }

    #[test]
    fn what_would_be_another_question_is_not_asked() {
        for query in [
            "sum(increase(a[15s])) > 3",
            "deriv(a[15s]) > 3",
            "avg_over_time(a[10s]) > 5",
            "a > 100",
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
