//! Titles: of an incident that an alert opens, and how they grow with the services that join; and how long a description may be.

use std::collections::BTreeSet;

use incident::{Incident, alerts::Alert};

use crate::error::{Error, Result};

/// Longest title that somebody may give, in characters.
const LONGEST: usize = 200;
/// Longest description, in characters.
const LONGEST_DESCRIPTION: usize = 2000;
/// Longest one that is taken from an alert.
const TAKEN: usize = 120;
/// How many services it names.
const NAMED: usize = 4;

/// Refuses what does not fit in a heading.
pub(super) fn check(title: &str) -> Result<()> {
    let length = title.chars().count();
    let expected = |found: String| {
        Err(Error::field("title", format!("expected one line of 1 to {LONGEST} characters, found {found}")))
    };
    if title.trim().is_empty() {
        expected("an empty one".to_owned())
    } else if length > LONGEST {
        expected(format!("{length}"))
    } else if title.chars().any(char::is_control) {
        expected("a line break or another control character".to_owned())
    } else {
        Ok(())
    }
}

/// Refuses what is too long to read at 3 am, or cannot be stored.
pub(super) fn check_description(description: &str) -> Result<()> {
    let length = description.trim().chars().count();
    if length <= LONGEST_DESCRIPTION && !description.contains('\0') {
        return Ok(());
    }
    let expected = format!("expected at most {LONGEST_DESCRIPTION} characters, found {length}");
    Err(Error::field("description", expected))
}

/// What the alert says in a line; its name, if that is too long for a title.
pub(super) fn of_alert(alert: &Alert) -> String {
    let summary = objective(alert).unwrap_or_else(|| alert.summary.trim().to_owned());
    let texts = [summary, alert.name.trim().to_owned()];
    let fits = |text: &String| check(text).is_ok() && text.chars().count() <= TAKEN;
    match texts.into_iter().find(fits) {
        Some(text) => text,
        None => cut(&alert.name, TAKEN),
    }
}

/// For an alert on an objective, `Orders are answered: objective missed`: the number in its summary is old a second later.
fn objective(alert: &Alert) -> Option<String> {
    let (promise, rest) = alert.summary.split_once(": ")?;
    let measured = rest.contains("% bad over ") && alert.labels.contains_key("slo");
    measured.then(|| format!("{}: objective missed", promise.trim()))
}

/// The title that the alerts of an incident give it; none without alerts.
pub(super) fn by_rule(incident: &Incident) -> Option<String> {
    let title = of_alert(&incident.alerts.first()?.alert);
    let services: BTreeSet<&str> =
        incident.alerts.iter().filter_map(|member| member.alert.service.as_deref()).collect();
    if services.len() < 2 {
        return Some(title);
    }
    let named = services.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = services.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(cut(&format!("{title} ({named}{more})"), LONGEST))
}

/// On one line, and not longer than this.
fn cut(text: &str, longest: usize) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let line = line.trim();
    if line.is_empty() {
        "An alert without a name".to_owned()
    } else if line.chars().count() <= longest {
        line.to_owned()
    } else {
        line.chars().take(longest - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use incident::{
        Event, Id, Severity, Source, What,
        alerts::{AlertKey, Details, Labels},
    };

    use super::*;

    fn alert(name: &str, summary: &str, service: &str) -> Alert {
        Alert {
            key: AlertKey { fingerprint: format!("{name}{service}"), starts_at: Utc::now() },
            name: name.to_owned(),
            service: Some(service.to_owned()),
            severity: Severity::Sev2,
            summary: summary.to_owned(),
            link: None,
            runbook: None,
            labels: Labels::new(),
            from: "alertmanager".to_owned(),
            details: Details::new(),
        }
    }

    #[test]
    fn a_title_is_one_line_of_at_most_200_characters() {
        assert!(check(&"ä".repeat(200)).is_ok());
        for wrong in ["", "  ", "two\nlines", "a".repeat(201).as_str()] {
            assert!(check(wrong).unwrap_err().to_string().contains("one line of 1 to 200"), "{wrong:?}");
        }
    }

    #[test]
    fn a_description_is_short_or_missing() {
        for right in ["", "two\nlines", &*"ä".repeat(2000)] {
            assert!(check_description(right).is_ok(), "{right:?}");
        }
        for wrong in ["a".repeat(2001), "\0".to_owned()] {
            let refused = check_description(&wrong).unwrap_err().to_string();
            assert!(refused.starts_with("description: expected at most 2000 characters"), "{refused}");
        }
    }

    #[test]
    fn the_summary_of_an_alert_is_the_title_unless_it_is_long() {
        assert_eq!(of_alert(&alert("Burn", " Orders fail ", "order-api")), "Orders fail");
        assert_eq!(of_alert(&alert("Burn", &"long ".repeat(30), "order-api")), "Burn");
        assert_eq!(of_alert(&alert("Burn", "two\nlines", "order-api")), "Burn");
        let nothing_fits = of_alert(&alert(&"x".repeat(500), "", "order-api"));
        assert!(check(&nothing_fits).is_ok() && nothing_fits.ends_with('…'), "{nothing_fits}");
        assert!(check(&of_alert(&alert("\n", "", "order-api"))).is_ok());
    }

    #[test]
    fn an_objective_is_named_without_the_number_of_a_moment() {
        let mut burn =
            alert("OrderAvailabilityBudgetBurn", "Orders are answered: 6.737% bad over 1m", "order-api");
        assert_eq!(of_alert(&burn), "Orders are answered: 6.737% bad over 1m");
        burn.labels.insert("slo".to_owned(), "order-availability".to_owned());
        assert_eq!(of_alert(&burn), "Orders are answered: objective missed");
    }

    #[test]
    fn services_that_join_are_named() {
        let at = Utc::now();
        let opened = What::Opened {
            id: Id(1),
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services: Vec::new(),
            previous: None,
        };
        let mut incident = Incident::open(&Event { at, by: Source::ControlRoom, what: opened }).unwrap();
        assert_eq!(by_rule(&incident), None);
        for service in ["b", "a", "f", "e", "c", "d"] {
            let alert = Box::new(alert("Burn", "Orders fail", service));
            let what = What::AlertFired { alert };
            incident.apply(&Event { at, by: Source::ControlRoom, what }).unwrap();
            if service == "a" {
                assert_eq!(by_rule(&incident).as_deref(), Some("Orders fail (a, b)"));
            }
        }
        assert_eq!(by_rule(&incident).as_deref(), Some("Orders fail (a, b, c, d and 2 more)"));
    }
}
