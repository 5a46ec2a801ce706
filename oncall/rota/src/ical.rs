//! Shifts as an iCalendar (RFC 5545) to subscribe to: one event per shift, UTC, the same UID after every export, so
//! that a calendar updates events instead of doubling them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Rota, Schedule, Shift};

/// Longest line in octets, without the line break (RFC 5545, section 3.1).
const WIDTH: usize = 75;
/// A shift that began earlier counts as one without a begin.
const SIGHT: TimeDelta = TimeDelta::days(400);
const UTC: &str = "%Y%m%dT%H%M%SZ";

/// What to export.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// Only this person's shifts.
    pub person: Option<&'a str>,
    /// Begin of the span.
    pub from: DateTime<Utc>,
    /// End of the span. A calendar shows what it last fetched, so 90 days are plenty.
    pub until: DateTime<Utc>,
    /// When the export is made.
    pub now: DateTime<Utc>,
    /// Minutes before a shift at which the calendar reminds.
    pub reminder: Option<u32>,
}

/// The calendar of a schedule, with CRLF line breaks.
#[must_use]
pub fn calendar(rota: &Rota, schedule: &Schedule, export: &Export<'_>) -> String {
    let mut text = String::new();
    let title = format!("On call: {}", schedule.name);
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//SRE Lab//rota//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        &format!("X-WR-CALNAME:{}", escaped(&title)),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ] {
        fold(&mut text, line);
    }
    let shifts = schedule.shifts(export.from, export.until);
    let wanted = |shift: &&Shift| export.person.is_none_or(|person| person == shift.primary.person);
    for shift in shifts.iter().filter(wanted) {
        event(&mut text, rota, schedule, shift, export);
    }
    fold(&mut text, "END:VCALENDAR");
    text
}

fn event(text: &mut String, rota: &Rota, schedule: &Schedule, shift: &Shift, export: &Export<'_>) {
    let person = &shift.primary.person;
    let title = rota.people.get(person).map_or(person, |known| &known.title);
    // A shift that is cut at the begin of the span gets a different UID tomorrow, so its real begin is looked up.
    let begin = if shift.from == export.from {
        schedule.shift(shift.from).map_or(shift.from, |whole| whole.from)
    } else {
        shift.from
    };
    // Somebody who is always on call has one shift without a begin.
    let since = if export.from - begin < SIGHT { begin.format(UTC).to_string() } else { "always".to_owned() };
    let uid = format!("{}-{person}-{since}@sre-lab", schedule.name);
    for line in [
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", escaped(&uid)),
        format!("DTSTAMP:{}", export.now.format(UTC)),
        format!("DTSTART:{}", begin.format(UTC)),
        format!("DTEND:{}", shift.until.format(UTC)),
        format!("SUMMARY:{}", escaped(&format!("{title} is on call ({})", schedule.name))),
        "TRANSP:TRANSPARENT".to_owned(),
    ] {
        fold(text, &line);
    }
    if let Some(minutes) = export.reminder {
        let trigger = format!("TRIGGER:-PT{minutes}M");
        for line in
            ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Your shift begins", &trigger, "END:VALARM"]
        {
            fold(text, line);
        }
    }
    fold(text, "END:VEVENT");
}

/// A value of type TEXT: backslash, semicolon, comma and line break are escaped, other control characters dropped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' | ';' | ',' => escaped.extend(['\\', char]),
            '\n' => escaped.push_str("\\n"),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

/// Adds a line, folded between characters: a continuation begins with a space.
fn fold(text: &mut String, line: &str) {
    let mut width = 0;
    for char in line.chars() {
        if width + char.len_utf8() > WIDTH {
            text.push_str("\r\n ");
            width = 1;
        }
        text.push(char);
        width += char.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters_and_unfold_to_the_same() {
        let line = format!("SUMMARY:{}", "Größe 日本 ".repeat(20));
        let mut text = String::new();
        fold(&mut text, &line);
        assert!(text.split("\r\n").all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.matches("\r\n ").count() > 2);
        assert_eq!(text.replace("\r\n ", "").trim_end_matches("\r\n"), line);
    }

    #[test]
    fn text_cannot_add_a_property() {
        assert_eq!(escaped("a;b,c\\d\r\nEND:VEVENT"), "a\\;b\\,c\\\\d\\nEND:VEVENT");
    }
}
