//! Values in `oncall.yaml`: names, times, days, durations, severities. Errors are sentences with what would be right.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDateTime, NaiveTime, Utc};

use crate::{ContactKind, Zone};

/// Longest wait, and longest time that an acknowledgement holds.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Days as they are written, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl ContactKind {
    /// Whether a text can be the address of such a contact.
    pub(super) fn takes(self, to: &str) -> bool {
        let word = !to.is_empty() && to.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        match self {
            Self::Webhook => {
                let rest = to.strip_prefix("https://").or_else(|| to.strip_prefix("http://"));
                rest.is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
                        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
                })
            }
            Self::Slack | Self::Pagerduty => word,
            Self::Desktop | Self::Bell => false,
        }
    }
}

/// Words of a-z and 0-9 joined by `-`; at most 63 characters, because names become label values.
pub(super) fn name(text: &str) -> Result<String, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if text.len() <= 63 && text.split('-').all(word) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is not a name: expected words of a-z and 0-9 joined by `-`, such as ada or first-line"
    ))
}

/// A wall time without an offset.
pub(super) fn wall(text: &str) -> Result<NaiveDateTime, String> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
    match time {
        Ok(time) if (2000..=2100).contains(&time.year()) => Ok(time),
        Ok(time) => Err(format!("expected a year from 2000 to 2100, found {}", time.year())),
        Err(_) => Err(format!("expected a wall time such as 2026-01-05T09:00, found `{text}`")),
    }
}

/// An instant: a wall time in `zone`, or a time with an offset.
pub(super) fn instant(text: &str, zone: &Zone) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let time = time.with_timezone(&Utc);
        return if (2000..=2100).contains(&time.year()) {
            Ok(time)
        } else {
            Err(format!("expected a year from 2000 to 2100, found {}", time.year()))
        };
    }
    let time = wall(text).map_err(|problem| match problem.strip_prefix("expected a wall time") {
        Some(rest) => format!("expected a time in {zone} or with an offset{rest}"),
        None => problem,
    })?;
    Ok(zone.first(time))
}

/// Hours and minutes; `24:00` is midnight at the end of the day.
pub(super) fn time(text: &str) -> Result<NaiveTime, String> {
    if text == "24:00" {
        return Ok(NaiveTime::MIN);
    }
    NaiveTime::parse_from_str(text, "%H:%M")
        .map_err(|_| format!("expected hours and minutes such as \"09:00\", found `{text}`"))
}

/// Marks a day (`mon`), or each day of a range (`mon-fri`, `sat-mon`).
pub(super) fn days(text: &str, marked: &mut [bool; 7]) -> Result<(), String> {
    let index = |day: &str| DAYS.iter().position(|name| *name == day);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Some(first), Some(last)) = (index(first), index(last)) else {
        return Err(format!(
            "expected mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri, found `{text}`"
        ));
    };
    let mut day = first;
    marked[day] = true;
    while day != last {
        day = (day + 1) % 7;
        marked[day] = true;
    }
    Ok(())
}

/// A duration of at least `least`, at most a week.
pub(super) fn duration(text: &str, least: Duration) -> Result<Duration, String> {
    let wrong =
        || format!("expected {} to 7days, such as 15m, found `{text}`", humantime::format_duration(least));
    let duration = humantime::parse_duration(text).map_err(|_| wrong())?;
    if (least..=LONGEST).contains(&duration) { Ok(duration) } else { Err(wrong()) }
}

/// `SEV-1` to `SEV-5`.
pub(super) fn severity(text: &str) -> Result<u8, String> {
    let number = text.strip_prefix("SEV-").and_then(|number| number.parse::<u8>().ok());
    let number = number.filter(|number| (1..=5).contains(number) && text.len() == 5);
    number.ok_or_else(|| format!("expected SEV-1 to SEV-5, found `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_single_or_a_range_over_the_end_of_the_week() {
        let read = |text| {
            let mut days = [false; 7];
            super::days(text, &mut days).map(|()| days)
        };
        assert_eq!(read("wed"), Ok([false, false, true, false, false, false, false]));
        assert_eq!(read("mon-fri"), Ok([true, true, true, true, true, false, false]));
        assert_eq!(read("sat-mon"), Ok([true, false, false, false, false, true, true]));
        assert!(read("Monday").unwrap_err().contains("found `Monday`"));
    }

    #[test]
    fn an_instant_is_a_wall_time_or_has_an_offset() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let read = |text| instant(text, &berlin).map(|at| at.to_rfc3339());
        assert_eq!(read("2026-07-01T09:00"), Ok("2026-07-01T07:00:00+00:00".to_owned()));
        assert_eq!(read("2026-07-01T09:00:00Z"), Ok("2026-07-01T09:00:00+00:00".to_owned()));
        let problem = read("1 July").unwrap_err();
        assert_eq!(
            problem,
            "expected a time in Europe/Berlin or with an offset such as 2026-01-05T09:00, found `1 July`"
        );
        assert!(read("3026-07-01T09:00").unwrap_err().contains("2000 to 2100"));
    }

    #[test]
    fn durations_have_a_least_and_a_longest_length() {
        let minute = Duration::from_secs(60);
        assert_eq!(duration("15m", minute), Ok(15 * minute));
        for text in ["59s", "8days", "15", "", "-1m"] {
            let problem = duration(text, minute).unwrap_err();
            assert_eq!(problem, format!("expected 1m to 7days, such as 15m, found `{text}`"));
        }
    }

    #[test]
    fn severities_and_names_are_exact() {
        assert_eq!(severity("SEV-3"), Ok(3));
        for text in ["SEV-0", "SEV-6", "SEV-03", "SEV-+3", "sev-3", "3"] {
            assert!(severity(text).is_err(), "{text}");
        }
        assert_eq!(name("first-line2"), Ok("first-line2".to_owned()));
        for text in ["", "Ada", "a--b", "2nd", "a b", "-a"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
