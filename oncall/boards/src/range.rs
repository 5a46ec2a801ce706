//! Time ranges as Grafana's addresses write them, and the step of a query.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The ranges that a page offers: start, and its name.
pub const OFFERED: &[(&str, &str)] = &[
    ("now-5m", "Last 5 minutes"),
    ("now-15m", "Last 15 minutes"),
    ("now-30m", "Last 30 minutes"),
    ("now-1h", "Last hour"),
    ("now-3h", "Last 3 hours"),
    ("now-6h", "Last 6 hours"),
    ("now-24h", "Last 24 hours"),
    ("now-7d", "Last 7 days"),
];

/// Longest range, in days.
const LONGEST: i64 = 400;

/// A time range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Start.
    pub from: DateTime<Utc>,
    /// End.
    pub until: DateTime<Utc>,
    /// Start and end as they were written.
    pub written: (String, String),
}

impl Range {
    /// Reads a range: `now`, `now-15m`, milliseconds since 1970, or a date with its time.
    ///
    /// # Errors
    /// Names the end that is wrong, and what would be right.
    pub fn read(from: &str, until: &str, now: DateTime<Utc>) -> Result<Self, String> {
        let written = (from.trim().to_owned(), until.trim().to_owned());
        let (from, until) = (instant("from", &written.0, now)?, instant("to", &written.1, now)?);
        if from >= until {
            return Err(format!("`from` ({}) must be before `to` ({})", written.0, written.1));
        }
        if until - from > TimeDelta::days(LONGEST) {
            return Err(format!("the range must not be longer than {LONGEST} days"));
        }
        Ok(Self { from, until, written })
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.until - self.from).num_milliseconds() as f64 / 1000.0
    }

    /// As it is written in an address.
    #[must_use]
    pub fn query(&self) -> String {
        format!("from={}&to={}", encode(&self.written.0), encode(&self.written.1))
    }

    /// The step of a query that draws at most `points` points, at least `least` seconds, rounded as Grafana rounds it.
    #[must_use]
    pub fn step(&self, points: u32, least: f64) -> f64 {
        round(self.seconds() / f64::from(points.max(1))).max(least)
    }

    /// Start and end in seconds since 1970, on multiples of the step, so that a range that moves asks for the same times again.
    #[must_use]
    pub fn aligned(&self, step: f64) -> (f64, f64) {
        let down = |time: DateTime<Utc>| (seconds(time) / step).floor() * step;
        (down(self.from), down(self.until))
    }
}

/// Seconds since 1970.
#[must_use]
pub fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

/// The time of these seconds since 1970.
#[must_use]
pub fn time(seconds: f64) -> DateTime<Utc> {
    // A cast of a float saturates; what is out of range becomes 1970.
    let milliseconds = (seconds * 1000.0).round() as i64;
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

/// A length such as `5s`, `15m` or `1d`, in seconds.
#[must_use]
pub fn length(text: &str) -> Option<f64> {
    let unit = text.chars().next_back()?;
    let number = &text[..text.len() - unit.len_utf8()];
    let size = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => return None,
    };
    let digits = !number.is_empty() && number.len() < 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    let count: u32 = if digits { number.parse().ok()? } else { return None };
    Some(f64::from(count) * size)
}

/// Seconds as Prometheus writes a length: `15s`, `250ms`.
#[must_use]
pub fn written(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).round();
    if milliseconds % 1000.0 == 0.0 {
        format!("{}s", milliseconds / 1000.0)
    } else {
        format!("{milliseconds}ms")
    }
}

fn instant(name: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let wrong = || {
        format!(
            "`{name}` is `{text}`: expected now, now-15m, milliseconds since 1970, or 2026-11-29T07:00:00Z"
        )
    };
    if text == "now" {
        return Ok(now);
    }
    if let Some(before) = text.strip_prefix("now-") {
        let seconds = length(before).ok_or_else(wrong)? as i64;
        return now.checked_sub_signed(TimeDelta::seconds(seconds)).ok_or_else(wrong);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let milliseconds = text.parse().ok().and_then(DateTime::from_timestamp_millis);
        return milliseconds.ok_or_else(wrong);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc));
    }
    // As the field of a form writes it.
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"];
    let read = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    formats.iter().find_map(read).map(|time| time.and_utc()).ok_or_else(wrong)
}

/// Grafana's `roundInterval`, from a second on: up to this many seconds, this step.
const STEPS: &[(f64, f64)] = &[
    (1.5, 1.0),
    (3.5, 2.0),
    (7.5, 5.0),
    (12.5, 10.0),
    (17.5, 15.0),
    (25.0, 20.0),
    (45.0, 30.0),
    (90.0, 60.0),
    (210.0, 120.0),
    (450.0, 300.0),
    (750.0, 600.0),
    (1050.0, 900.0),
    (1500.0, 1200.0),
    (2700.0, 1800.0),
    (5400.0, 3600.0),
    (9000.0, 7200.0),
    (16_200.0, 10_800.0),
    (32_400.0, 21_600.0),
];

fn round(seconds: f64) -> f64 {
    STEPS.iter().find(|(below, _)| seconds < *below).map_or(43_200.0, |(_, step)| *step)
}

/// Everything but the unreserved characters of RFC 3986.
const NOT_IN_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes everything that has a meaning in an address.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_VALUES).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_read_as_grafana_writes_them() {
        let now = at("2026-11-29T07:00:00Z");
        let range = Range::read("now-15m", "now", now).unwrap();
        assert_eq!((range.from, range.until, range.seconds()), (at("2026-11-29T06:45:00Z"), now, 900.0));
        assert_eq!(range.query(), "from=now-15m&to=now");
        let fixed = Range::read("1795935600000", "2026-11-29T07:30", now).unwrap();
        assert_eq!((fixed.from, fixed.until), (now, at("2026-11-29T07:30:00Z")));
        for (from, to, said) in [
            ("now", "now-5m", "must be before"),
            ("yesterday", "now", "`from` is `yesterday`"),
            ("now-15m", "", "`to` is ``"),
            ("now-1y", "now", "`from`"),
            ("0", "now", "longer than"),
            ("99999999999999999999", "now", "`from`"),
        ] {
            let error = Range::read(from, to, now).unwrap_err();
            assert!(error.contains(said), "{from} {to}: {error}");
        }
    }

    #[test]
    fn the_step_fits_the_points_and_is_never_below_the_least() {
        let range = Range::read("now-15m", "now", at("2026-11-29T07:00:07Z")).unwrap();
        assert_eq!(range.step(450, 1.0), 2.0);
        assert_eq!(range.step(450, 5.0), 5.0);
        assert_eq!(range.step(1, 1.0), 900.0);
        let (from, until) = range.aligned(5.0);
        assert_eq!((time(from), time(until)), (at("2026-11-29T06:45:05Z"), at("2026-11-29T07:00:05Z")));
    }

    #[test]
    fn lengths_are_read_and_written() {
        assert_eq!(length("15m"), Some(900.0));
        for wrong in ["", "m", "1.5m", "-1m", "5x", "99999999s", "5µ"] {
            assert_eq!(length(wrong), None, "{wrong}");
        }
        assert_eq!((written(4.0), written(0.25)), ("4s".to_owned(), "250ms".to_owned()));
    }
}
