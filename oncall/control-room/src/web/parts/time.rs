//! Times and spans. The words are also in `assets/room.js`, which keeps them fresh between two refreshes.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

/// How times are written in full.
const EXACT: &str = "%Y-%m-%d %H:%M:%S UTC";

/// A time as a distance from now: `3 min ago`, or `in 5 min`; the exact one on hover.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(at)) title=(at.format(EXACT)) data-ago { (distance(at, now)) } }
}

/// How long something has lasted: `3 min`; its begin on hover.
pub(crate) fn lasting(since: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(since)) title={ "since " (since.format(EXACT)) } data-lasting { (rough(now - since)) } }
}

/// How long something still lasts: `4 h left`; its end on hover.
pub(crate) fn remaining(until: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(iso(until)) title={ "until " (until.format(EXACT)) } data-remaining { (rough(until - now)) " left" }
    }
}

/// A time of day in UTC; the date on hover.
pub(crate) fn clock(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(at)) title=(at.format(EXACT)) { (at.format("%H:%M:%S")) } }
}

/// Seconds for people: `450 ms`, `43 s`, `8 min 5 s`, `2 h 10 min`, `3 d 4 h`. It breaks between units only.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    let seconds = seconds.max(0.0);
    if seconds > 0.0 && seconds < 1.0 {
        return format!("{:.0}\u{a0}ms", (seconds * 1000.0).max(1.0));
    }
    let whole = seconds.round() as u64;
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large}\u{a0}{large_unit}"),
        small => format!("{large}\u{a0}{large_unit} {small}\u{a0}{small_unit}"),
    };
    match whole {
        0..60 => format!("{whole}\u{a0}s"),
        60..3600 => pair(whole / 60, "min", whole % 60, "s"),
        3600..86_400 => pair(whole / 3600, "h", whole / 60 % 60, "min"),
        _ => pair(whole / 86_400, "d", whole / 3600 % 24, "h"),
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// One unit is enough for a distance.
fn rough(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - at;
    if passed.num_seconds().abs() < 2 {
        "now".to_owned()
    } else if passed > TimeDelta::zero() {
        format!("{} ago", rough(passed))
    } else {
        format!("in {}", rough(-passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_relative_and_the_exact_one_is_its_title() {
        let at: DateTime<Utc> = "2026-11-29T07:06:40Z".parse().unwrap();
        let shown = ago(at, at + TimeDelta::seconds(185)).into_string();
        assert!(shown.contains(">3 min ago<"), "{shown}");
        assert!(shown.contains("title=\"2026-11-29 07:06:40 UTC\""), "{shown}");
        assert!(shown.contains("datetime=\"2026-11-29T07:06:40.000Z\""), "{shown}");
        let left = remaining(at + TimeDelta::hours(4), at).into_string();
        assert!(
            left.contains(">4 h left<") && left.contains("title=\"until 2026-11-29 11:06:40 UTC\""),
            "{left}"
        );
        let ahead = |seconds| distance(at + TimeDelta::seconds(seconds), at);
        assert_eq!(
            (ahead(0), ahead(50), ahead(7200)),
            ("now".to_owned(), "in 50 s".to_owned(), "in 2 h".to_owned())
        );
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (seconds, text) in [
            (0.0, "0\u{a0}s"),
            (0.45, "450\u{a0}ms"),
            (43.0, "43\u{a0}s"),
            (60.0, "1\u{a0}min"),
            (485.0, "8\u{a0}min 5\u{a0}s"),
            (7800.0, "2\u{a0}h 10\u{a0}min"),
            (270_000.0, "3\u{a0}d 3\u{a0}h"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
