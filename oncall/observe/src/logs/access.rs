//! The access log: one line per request of a service. Which requests are wanted; how many there were is in `tally`.

use std::{fmt::Write as _, str::FromStr};

use serde_json::Value;

use super::line::Line;
pub use super::tally::{Key, Tally};

/// `target` of its lines.
const TARGET: &str = "access";
/// How its lines are written; every other line is without it.
const MARK: &str = r#"`"target":"access"`"#;

/// One line of the access log. A missing field is `?`, so that a count never loses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    /// The service that answered.
    pub service: &'a str,
    /// Template of the route, or `unmatched`.
    pub route: &'a str,
    /// Status of the answer; 499 if the client left before it.
    pub status: u16,
    /// Address at the other end of the connection.
    pub peer: &'a str,
    /// What the client calls itself.
    pub agent: &'a str,
    /// How many requests the line represents, itself included.
    pub requests: u64,
}

impl<'a> Access<'a> {
    /// `None` for a line that is not from an access log.
    #[must_use]
    pub fn of(line: &'a Line) -> Option<Self> {
        let text = |name: &str| line.fields.get(name).and_then(Value::as_str).unwrap_or("?");
        let number = |name: &str| line.fields.get(name).and_then(Value::as_u64);
        (text("target") == TARGET).then(|| Self {
            service: &line.part,
            route: text("http.route"),
            status: number("http.response.status_code").and_then(|code| code.try_into().ok()).unwrap_or(0),
            peer: text("network.peer.address"),
            agent: text("user_agent.original"),
            requests: number("represents").unwrap_or(1),
        })
    }
}

/// One status, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Such as 404.
    Exactly(u16),
    /// The first digit: 4 for 400 to 499.
    Class(u16),
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let read = |digits: &str, range: std::ops::RangeInclusive<u16>| {
            digits.parse().ok().filter(|number| range.contains(number))
        };
        let found = match class {
            Some(digit) => read(digit, 1..=5).map(Self::Class),
            None => read(text, 100..=599).map(Self::Exactly),
        };
        found.ok_or_else(|| "expected a status such as 404, or a class of them such as 4xx".to_owned())
    }
}

impl Status {
    fn contains(self, status: u16) -> bool {
        match self {
            Self::Exactly(wanted) => status == wanted,
            Self::Class(digit) => status / 100 == digit,
        }
    }
}

/// Which requests are wanted: all, unless it says more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Answered like this.
    pub status: Option<Status>,
    /// Of the route with exactly this template.
    pub route: Option<String>,
}

impl Filter {
    /// Whether the request is wanted.
    #[must_use]
    pub fn matches(&self, access: &Access<'_>) -> bool {
        self.status.is_none_or(|status| status.contains(access.status))
            && self.route.as_ref().is_none_or(|route| route == access.route)
    }

    fn logql(&self) -> String {
        let mut stages = format!(" |= {MARK}");
        if *self != Self::default() {
            stages.push_str(" | json");
        }
        // Writing to a string cannot fail.
        let _ = match self.status {
            Some(Status::Exactly(code)) => write!(stages, " | http_response_status_code={code}"),
            Some(Status::Class(digit)) => write!(
                stages,
                " | http_response_status_code>={digit}00 | http_response_status_code<={digit}99"
            ),
            None => Ok(()),
        };
        if let Some(route) = &self.route {
            let _ = write!(stages, " | http_route={}", Value::from(route.as_str()));
        }
        stages
    }
}

/// What is wanted of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requests {
    /// Nothing: there is a line per request, which hides all others.
    Without,
    /// Its lines, and all others.
    With,
    /// Only these.
    Only(Filter),
}

impl Requests {
    /// Whether the line is wanted.
    #[must_use]
    pub fn keep(&self, line: &Line) -> bool {
        match (self, Access::of(line)) {
            (Self::With, _) | (Self::Without, None) => true,
            (Self::Only(filter), Some(access)) => filter.matches(&access),
            (Self::Without, Some(_)) | (Self::Only(_), None) => false,
        }
    }

    /// The stages of a LogQL query that keep the same lines.
    pub(super) fn logql(&self) -> String {
        match self {
            Self::Without => format!(" != {MARK}"),
            Self::With => String::new(),
            Self::Only(filter) => filter.logql(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::logs::parse;

    /// A line as the services write it: the file is checked by their test.
    const LINE: &str = include_str!("../../../../chassis/service/tests/telemetry/snapshots/access.json");

    fn line(text: &str) -> Line {
        parse("test-service", text, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn every_field_of_a_line_is_read() {
        let line = line(LINE.trim_end());
        let read = Access::of(&line).unwrap();
        let expected = Access {
            service: "test-service",
            route: "/things/{id}",
            status: 200,
            peer: "127.0.0.1",
            agent: "a-client/1.0",
            requests: 1,
        };
        assert_eq!(read, expected);
        assert!(LINE.contains(MARK.trim_matches('`')), "Loki finds it by this text");
    }

    #[test]
    fn a_line_of_another_kind_is_none_of_the_access_log() {
        let other = line(r#"{"timestamp":"2026-11-21T06:17:01Z","message":"request","target":"order_api"}"#);
        assert_eq!(Access::of(&other), None);
        assert!(Requests::Without.keep(&other) && Requests::With.keep(&other));
        assert!(!Requests::Only(Filter::default()).keep(&other));
        let access = line(LINE.trim_end());
        assert!(!Requests::Without.keep(&access) && Requests::With.keep(&access));
        assert!(Requests::Only(Filter::default()).keep(&access));
    }

    #[test]
    fn a_status_is_a_number_or_a_class_and_anything_else_is_answered_with_what_is_right() {
        assert_eq!("404".parse(), Ok(Status::Exactly(404)));
        assert_eq!("5xx".parse(), Ok(Status::Class(5)));
        assert_eq!("4XX".parse(), Ok(Status::Class(4)));
        for wrong in ["", "xx", "40", "4x", "6xx", "600", "4xxx", "ok"] {
            let error = wrong.parse::<Status>().unwrap_err();
            assert!(error.contains("404") && error.contains("4xx"), "{error}");
        }
    }

    #[test]
    fn loki_is_asked_for_the_requests_that_the_filter_keeps() {
        let only = |status: &str, route: Option<&str>| {
            let status = (!status.is_empty()).then(|| status.parse().unwrap());
            Requests::Only(Filter { status, route: route.map(str::to_owned) }).logql()
        };
        assert_eq!(only("", None), r#" |= `"target":"access"`"#);
        assert_eq!(only("404", None), r#" |= `"target":"access"` | json | http_response_status_code=404"#);
        assert_eq!(
            only("5xx", Some("/a\"b")),
            r#" |= `"target":"access"` | json | http_response_status_code>=500 | http_response_status_code<=599 | http_route="/a\"b""#
        );
        assert_eq!(Requests::Without.logql(), r#" != `"target":"access"`"#);
        assert_eq!(Requests::With.logql(), "");
    }
}
