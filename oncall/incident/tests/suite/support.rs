//! What several tests need.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{
    Event, Id, Incident, Severity, Source, State, What,
    alerts::{Alert, AlertKey, Details, Labels},
};

/// Seconds after every test begins.
pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_315_200, 0).expect("a time") + TimeDelta::seconds(seconds)
}

/// An event by a person.
pub(crate) fn by_ada(seconds: i64, what: What) -> Event {
    Event { at: after(seconds), by: Source::Person("ada".to_owned()), what }
}

/// An event by the control room.
pub(crate) fn by_rule(seconds: i64, what: What) -> Event {
    Event { at: after(seconds), by: Source::ControlRoom, what }
}

/// The opening of an incident.
pub(crate) fn opening(number: u64, services: &[&str]) -> What {
    What::Opened {
        id: Id(number),
        title: "Orders fail".to_owned(),
        description: String::new(),
        severity: Severity::Sev2,
        services: services.iter().map(|service| (*service).to_owned()).collect(),
        previous: None,
    }
}

/// A change of state.
pub(crate) fn moved(to: State) -> What {
    What::Moved { to, why: String::new() }
}

/// An alert about a service; `fingerprint` says which.
pub(crate) fn alert(fingerprint: &str, service: Option<&str>, seconds: i64) -> Alert {
    Alert {
        key: AlertKey { fingerprint: fingerprint.to_owned(), starts_at: after(seconds) },
        name: format!("Alert{fingerprint}"),
        service: service.map(str::to_owned),
        severity: Severity::Sev2,
        summary: "it hurts".to_owned(),
        link: None,
        runbook: None,
        labels: Labels::new(),
        from: "alertmanager".to_owned(),
        details: Details::new(),
    }
}

/// The alert joins.
pub(crate) fn fired(alert: &Alert) -> What {
    What::AlertFired { alert: Box::new(alert.clone()) }
}

/// The alert ends.
pub(crate) fn cleared(alert: &Alert, seconds: i64) -> What {
    What::AlertCleared { key: alert.key.clone(), ended_at: after(seconds) }
}

/// The incident of these events.
pub(crate) fn replay(events: &[Event]) -> Incident {
    Incident::replay(events).unwrap_or_else(|refused| panic!("{refused}"))
}
