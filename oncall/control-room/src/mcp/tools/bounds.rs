//! How much a tool takes and answers. A model reads every byte, and a query may be as large as Prometheus is
//! patient.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::error::{Error, Result};

/// Largest list of an answer, in bytes of JSON.
pub(super) const BYTES: usize = 48 << 10;
/// Longest time that one question may be about.
pub(super) const SPAN: TimeDelta = TimeDelta::hours(6);

/// The first rows, as far as they may be sent; and a sentence, if some are missing. `narrow` says how to ask
/// for less.
pub(super) fn first(rows: Vec<Value>, most: usize, narrow: &str) -> (Vec<Value>, Option<String>) {
    let all = rows.len();
    let mut size = 0;
    let fits = |row: &Value| {
        size += row.to_string().len() + 1;
        size <= BYTES
    };
    let kept: Vec<Value> = rows.into_iter().take(most).take_while(fits).collect();
    let note = (kept.len() < all).then(|| format!("{} of {all} are here: {narrow}", kept.len()));
    (kept, note)
}

/// How many rows: what was asked for, or `usual`.
pub(super) fn limit(asked: Option<usize>, usual: usize, most: usize) -> Result<usize> {
    let limit = asked.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::field("limit", format!("a whole number from 1 to {most}, found {limit}")))
    }
}

/// A text of 1 to `most` characters.
pub(super) fn text(field: &str, text: &str, most: usize) -> Result<()> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > most || text.contains('\0') {
        return Err(Error::field(field, format!("1 to {most} characters, found {length}")));
    }
    Ok(())
}

/// An instant: RFC 3339, `now`, or how long ago, such as 15m.
pub(super) fn when(field: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if text == "now" {
        return Ok(now);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    let ago = humantime::parse_duration(text.trim_start_matches('-')).ok();
    let ago = ago.and_then(|ago| TimeDelta::from_std(ago).ok());
    ago.and_then(|ago| now.checked_sub_signed(ago)).ok_or_else(|| {
        Error::field(field, format!("an instant (RFC 3339) or how long ago, such as 15m; found `{text}`"))
    })
}

/// Since when: what was asked for, or `usual` before now; at most [`SPAN`] ago.
pub(super) fn since(asked: Option<&str>, usual: TimeDelta, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let Some(text) = asked else { return Ok(now - usual) };
    let at = when("since", text, now)?;
    if now - at > SPAN {
        return Err(Error::field("since", format!("at most {} h ago", SPAN.num_hours())));
    }
    Ok(at)
}

/// The beginning of a long text.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} characters more)", &text[..at], text[at..].chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_cut_by_number_and_by_size_and_the_cut_is_said() {
        let rows = |count: usize, text: &str| vec![json!(text); count];
        assert_eq!(first(rows(3, "a"), 3, "ask for less"), (rows(3, "a"), None));
        let (kept, note) = first(rows(5, "a"), 2, "name a service");
        assert_eq!((kept.len(), note.as_deref()), (2, Some("2 of 5 are here: name a service")));
        let large = "x".repeat(BYTES / 4);
        let (kept, note) = first(rows(9, &large), 9, "ask for less");
        assert_eq!((kept.len(), note.is_some()), (3, true));
        assert_eq!(first(rows(1, &"x".repeat(BYTES)), 9, "ask for less").0, rows(0, ""));
    }

    #[test]
    fn an_instant_is_a_date_or_a_distance_and_not_too_far_away() {
        let now: DateTime<Utc> = "2026-11-29T12:00:00Z".parse().unwrap();
        let at = |text: &str| when("end", text, now).map(|at| at.to_rfc3339());
        assert_eq!(at("now").unwrap(), "2026-11-29T12:00:00+00:00");
        assert_eq!(at("15m").unwrap(), "2026-11-29T11:45:00+00:00");
        assert_eq!(at("-90s").unwrap(), "2026-11-29T11:58:30+00:00");
        assert_eq!(at("2026-11-29T13:00:00+01:00").unwrap(), "2026-11-29T12:00:00+00:00");
        for wrong in ["", "yesterday", "15", "99999999999y"] {
            assert!(at(wrong).unwrap_err().to_string().starts_with("end: an instant"), "{wrong}");
        }
        let hours = |text| since(text, TimeDelta::hours(1), now).map(|at| (now - at).num_hours());
        assert_eq!((hours(None).unwrap(), hours(Some("6h")).unwrap()), (1, 6));
        assert!(hours(Some("7h")).unwrap_err().to_string().contains("at most 6 h ago"));
    }

    #[test]
    fn limits_and_texts_say_what_would_be_right() {
        assert_eq!(limit(None, 20, 100).unwrap(), 20);
        for wrong in [0, 101] {
            let refused = limit(Some(wrong), 20, 100).unwrap_err().to_string();
            assert_eq!(refused, format!("limit: a whole number from 1 to 100, found {wrong}"));
        }
        assert!(text("query", "up", 2).is_ok());
        for wrong in ["", " ", "up2", "\0"] {
            assert!(text("query", wrong, 2).is_err(), "{wrong:?}");
        }
        assert_eq!(shortened("größer", 6), "größer");
        assert_eq!(shortened("größer", 4), "größ… (2 characters more)");
    }
}
