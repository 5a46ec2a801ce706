//! What the run of an agent leaves: an incident that the agent worked on, in which only tickets about budgets still fire. A spent
//! budget fires for hours. It is forgotten as the next run begins, and that run would not begin beside an incident that somebody
//! works on.

use incident::{Incident, Source, State, What, incident::Member};

use super::quiet::is_person;
use crate::{
    access::SOMEBODY,
    error::{Error, Result},
    room::Room,
};

/// Resolves what agents have left. An incident of a person stays.
///
/// # Errors
/// When the file fails.
pub(super) async fn let_go(room: &Room) -> Result<()> {
    let people: Vec<String> = room.duty.people().into_iter().map(|person| person.name).collect();
    for incident in room.desk.open_ones().into_iter().filter(|one| is_left(one, &people)) {
        let why = "only tickets about budgets are left, and a drill begins".to_owned();
        let moved = What::Moved { to: State::Resolved, why };
        match room.desk.act(incident.id, Source::ControlRoom, moved).await {
            // It may have ended by itself meanwhile.
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether only agents worked on an incident, and nothing but tickets about budgets fires in it. `people` are those of
/// `oncall.yaml`.
fn is_left(incident: &Incident, people: &[String]) -> bool {
    let is_over = |member: &Member| member.ended_at.is_some() || member.alert.is_of_budget();
    is_of_agent(incident, people) && !incident.alerts.is_empty() && incident.alerts.iter().all(is_over)
}

/// Whether an agent worked on it and no person did. An agent has a name that no person has; without `oncall.yaml` nobody can tell.
fn is_of_agent(incident: &Incident, people: &[String]) -> bool {
    let is_agent = |source: &Source| {
        let name = source.name();
        let known = people.is_empty() || name == SOMEBODY || people.iter().any(|person| person == name);
        matches!(source, Source::Agent(_)) || !known
    };
    let mut said = incident.timeline.iter().map(|entry| &entry.source).filter(|source| is_person(source));
    said.next().is_some_and(is_agent) && said.all(is_agent)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use incident::{
        Event, Id,
        alerts::{AlertKey, Details, Labels},
    };
    use incident::{Severity, alerts::Alert};

    use super::*;

    fn alert(severity: Severity, labels: &[&str]) -> Alert {
        Alert {
            key: AlertKey { fingerprint: format!("{severity}"), starts_at: Utc::now() },
            name: "OrderAvailabilityBudgetSpent".to_owned(),
            service: Some("order-api".to_owned()),
            severity,
            summary: String::new(),
            link: None,
            runbook: None,
            labels: labels.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect::<Labels>(),
            from: "alertmanager".to_owned(),
            details: Details::new(),
        }
    }

    /// An incident with these alerts that these have acknowledged.
    fn incident(alerts: &[Alert], by: &[&str]) -> Incident {
        let at = Utc::now();
        let (title, services) = ("Orders fail".to_owned(), vec!["order-api".to_owned()]);
        let opened = What::Opened {
            id: Id(1),
            title,
            severity: Severity::Sev2,
            services,
            previous: None,
            description: String::new(),
        };
        let mut incident = Incident::open(&Event { at, by: Source::ControlRoom, what: opened }).unwrap();
        for alert in alerts {
            let what = What::AlertFired { alert: Box::new(alert.clone()) };
            incident.apply(&Event { at, by: Source::System("alertmanager".to_owned()), what }).unwrap();
        }
        for name in by {
            let by = Source::Person((*name).to_owned());
            incident.apply(&Event { at, by, what: What::Acknowledged }).unwrap();
        }
        incident
    }

    #[test]
    fn only_what_an_agent_leaves_and_only_tickets_about_budgets_are_let_go() {
        let people = ["ada".to_owned()];
        let (ticket, page) = (alert(Severity::Sev4, &["slo"]), alert(Severity::Sev2, &["slo"]));
        let tickets = std::slice::from_ref(&ticket);
        let left = |alerts: &[Alert], by: &[&str]| is_left(&incident(alerts, by), &people);
        assert!(left(tickets, &["my-agent"]));
        assert!(!left(tickets, &["ada"]) && !left(tickets, &["my-agent", "ada"]), "a person works on it");
        assert!(!left(tickets, &[SOMEBODY]) && !left(tickets, &[]) && !left(&[], &["my-agent"]));
        assert!(!is_left(&incident(tickets, &["my-agent"]), &[]), "nobody can tell who is a person");
        let both = [ticket.clone(), page.clone()];
        assert!(!left(&both, &["my-agent"]) && !left(&[alert(Severity::Sev4, &[])], &["my-agent"]));
        let mut over = incident(&both, &["my-agent"]);
        let what = What::AlertCleared { key: page.key, ended_at: Utc::now() };
        over.apply(&Event { at: Utc::now(), by: Source::ControlRoom, what }).unwrap();
        assert!(is_left(&over, &people), "its page has ended");
    }
}
