//! Incidents: a list, or one with its timeline, as a trainee may see it.

use incident::{EntryKind, Id, Incident, Measures, Viewer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, asked::logged, bounds::first};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
};

/// Incidents of a list.
const INCIDENTS: usize = 20;
/// Entries of a timeline.
const ENTRIES: usize = 100;

/// Which incident.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentsAsked {
    /// The incident, such as INC-7. Absent: a list of the newest.
    id: Option<String>,
}

/// The newest incidents; or one with its alerts, hypotheses and timeline, newest entry first.
///
/// # Errors
/// When there is no such incident.
pub(crate) async fn incidents(room: &Room, caller: &Caller, asked: IncidentsAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "read_incident", arguments, look(room, asked.id.as_deref())).await
}

async fn look(room: &Room, id: Option<&str>) -> Result<Answer> {
    let Some(text) = id else {
        let rows = room.desk.recent(INCIDENTS).iter().map(|one| summary(one)).collect();
        let (incidents, note) = first(rows, INCIDENTS, "name one");
        return Ok(Answer::new(json!({ "incidents": incidents })).noting(note));
    };
    let found = room.desk.get(read(text)?).await?;
    whole(&found, room.drills.is_sealed())
}

/// The incident of a text.
pub(super) fn read(text: &str) -> Result<Id> {
    text.parse().map_err(|expected: String| Error::field("id", expected))
}

fn summary(incident: &Incident) -> Value {
    let firing = incident.alerts.iter().filter(|member| member.ended_at.is_none());
    let firing: Vec<&str> = firing.map(|member| member.alert.name.as_str()).collect();
    json!({
        "id": incident.id, "title": incident.title, "severity": incident.severity, "state": incident.state,
        "opened_at": incident.opened_at, "services": incident.services, "alerts_firing": firing,
        "acknowledged": incident.acknowledged,
    })
}

/// `hidden`: somebody is in a drill, and what was wrong before may be wrong again.
fn whole(incident: &Incident, hidden: bool) -> Result<Answer> {
    // What an incident serializes to is fit for a trainee.
    let mut value = serde_json::to_value(incident)?;
    let mut told = incident.timeline_for(Viewer::Trainee);
    told.retain(|entry| !hidden || entry.kind != EntryKind::Truth);
    if hidden {
        value["truth"] = Value::Null;
    }
    let entries: serde_json::Result<Vec<Value>> = told.into_iter().rev().map(serde_json::to_value).collect();
    let (timeline, note) = first(entries?, ENTRIES, "older entries of the timeline are left out");
    value["timeline"] = json!(timeline);
    value["measures"] = serde_json::to_value(Measures::of(incident, Viewer::Trainee))?;
    Ok(Answer::new(json!({ "incident": value })).noting(note))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use incident::{Event, Severity, Source, What};

    use super::*;

    fn incident() -> Incident {
        let event = |what| Event { at: Utc::now(), by: Source::ControlRoom, what };
        let note = |text: &str, sealed| {
            event(What::Noted {
                kind: EntryKind::Note,
                happened_at: Utc::now(),
                text: text.to_owned(),
                evidence: Vec::new(),
                sealed,
            })
        };
        let opened = event(What::Opened {
            id: Id(7),
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services: vec!["order-api".to_owned()],
            previous: None,
        });
        Incident::replay(&[opened, note("seen", false), note("zz-sealed", true)]).unwrap()
    }

    #[test]
    fn one_incident_has_its_timeline_and_nothing_that_is_sealed() {
        let told = whole(&incident(), false).unwrap().into_value();
        assert_eq!(told["incident"]["timeline"][0]["text"], "seen");
        assert!(!told.to_string().contains("zz-sealed"), "{told}");
        assert_eq!(summary(&incident())["id"], "INC-7");
        assert!(read("seven").unwrap_err().to_string().contains("such as INC-7"));
    }
}
