//! `POST /v2/enqueue` and `POST /v2/change/enqueue`: the Events API v2 of PagerDuty, so that whatever can page PagerDuty can page
//! the lab unchanged. Answers are PagerDuty's: 202, or 400 with `errors`. A program that can only be given a routing key sends
//! HOOK_TOKEN as that.

use axum::{
    Json,
    body::Body,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use incident::alerts::pagerduty::{ChangeEvent, Event, LARGEST, Rejected};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Outcome, Sender, count};
use crate::{
    api::{input, openapi::Refusals},
    changes::Change,
    room::Room,
};

/// Kinds of changes; anything else is `other`.
const KINDS: [&str; 6] = ["release", "flag", "configuration", "restart", "protection", "rule"];
/// Longest text of a change, in characters.
const LONGEST: usize = 1024;

/// Takes an alert: trigger, acknowledge or resolve.
#[utoipa::path(post, path = "/v2/enqueue", operation_id = "enqueue",
    request_body(description = "An event of the PagerDuty Events API v2", content_type = "application/json"),
    responses(Refusals, (status = 202, description = "It is taken; `dedup_key` says how to acknowledge or resolve it.")))]
pub(crate) async fn enqueue(Shared(room): Shared<Room>, headers: HeaderMap, body: Body) -> Response {
    let event: Event = match read(&room, Sender::Pagerduty, body).await {
        Ok(event) => event,
        Err(response) => return response,
    };
    if !room.access.hook(&headers, Some(&event.routing_key)) {
        return unauthorized(&room, Sender::Pagerduty);
    }
    let fresh = Uuid::new_v4().simple().to_string();
    let accepted = match event.check(&fresh) {
        Ok(accepted) => accepted,
        Err(rejected) => return refused(&room, Sender::Pagerduty, rejected),
    };
    let key = accepted.dedup_key.clone().unwrap_or(fresh);
    let taken = super::counted(&room, Sender::Pagerduty, room.desk.pagerduty(&event, &key).await);
    match taken {
        Ok(_) => (StatusCode::ACCEPTED, Json(accepted)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Takes a change of the system: a release, a flag, configuration.
#[utoipa::path(post, path = "/v2/change/enqueue", operation_id = "enqueue_change",
    request_body(description = "A change event of the PagerDuty Events API v2; payload.class is its kind, payload.component its service",
        content_type = "application/json"),
    responses(Refusals, (status = 202, description = "It is taken.")))]
pub(crate) async fn change(Shared(room): Shared<Room>, headers: HeaderMap, body: Body) -> Response {
    let event: ChangeEvent = match read(&room, Sender::Change, body).await {
        Ok(event) => event,
        Err(response) => return response,
    };
    if !room.access.hook(&headers, Some(&event.routing_key)) {
        return unauthorized(&room, Sender::Change);
    }
    let accepted = match event.check() {
        Ok(accepted) => accepted,
        Err(rejected) => return refused(&room, Sender::Change, rejected),
    };
    let mut change = of(&event, Utc::now());
    // A source is a system. One that has the name of a person is not that person.
    if room.duty.people().iter().any(|person| person.name == change.by) {
        change.by = format!("{} (as a hook says)", change.by);
    }
    let recorded = room.changes.record_in(&room.desk, change).await;
    match super::counted(&room, Sender::Change, recorded) {
        Ok(()) => (StatusCode::ACCEPTED, Json(accepted)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The change of an event. One that says it happens later happened when it was received.
fn of(event: &ChangeEvent, received: DateTime<Utc>) -> Change {
    let entry = event.entry(received);
    let payload = event.payload.as_ref();
    let class = payload.and_then(|payload| payload.class.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let kind = KINDS.into_iter().find(|kind| *kind == class).unwrap_or("other");
    let service = payload.and_then(|payload| payload.component.clone()).filter(|name| !name.is_empty());
    let mut links = event.links.iter().map(|link| link.href.clone());
    Change {
        at: entry.at.min(received),
        kind: kind.to_owned(),
        service,
        text: entry.text.chars().take(LONGEST).collect(),
        by: entry.source.name().to_owned(),
        link: links.find_map(|link| input::address("links", link).ok()),
    }
}

async fn read<T: DeserializeOwned>(room: &Room, sender: Sender, body: Body) -> Result<T, Response> {
    let body = chassis_serve::body::collect(body).await.map_err(|error| {
        count(&room.metrics, sender, Outcome::Refused);
        chassis_http::Problem::from(error).into_response()
    })?;
    if body.len() > LARGEST {
        count(&room.metrics, sender, Outcome::Refused);
        let rejected = Rejected::new(vec![format!("the event is larger than {LARGEST} bytes")]);
        return Err((StatusCode::PAYLOAD_TOO_LARGE, Json(rejected)).into_response());
    }
    super::json(&body)
        .map_err(|(field, right)| refused(room, sender, Rejected::new(vec![format!("'{field}': {right}")])))
}

fn refused(room: &Room, sender: Sender, rejected: Rejected) -> Response {
    count(&room.metrics, sender, Outcome::Refused);
    tracing::warn!(errors = ?rejected.errors, "an event was refused");
    (StatusCode::BAD_REQUEST, Json(rejected)).into_response()
}

fn unauthorized(room: &Room, sender: Sender) -> Response {
    count(&room.metrics, sender, Outcome::Refused);
    let errors = vec![
        "'routing_key' is not HOOK_TOKEN of the control room; nor is `Authorization: Bearer …`".to_owned(),
    ];
    (StatusCode::UNAUTHORIZED, Json(Rejected::new(errors))).into_response()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_event_says_what_changed_where_and_when() {
        let now = Utc::now();
        let event = |payload: serde_json::Value, links: serde_json::Value| -> ChangeEvent {
            serde_json::from_value(json!({ "routing_key": "k", "payload": payload, "links": links })).unwrap()
        };
        let hour = now - TimeDelta::hours(1);
        let full = json!({ "summary": "order-api 1.4", "source": "ci", "timestamp": hour.to_rfc3339(), "component": "order-api",
            "class": "Release" });
        let links = json!([{ "href": "javascript:alert(1)" }, { "href": "https://ci.example/7" }]);
        let change = of(&event(full, links), now);
        assert_eq!(
            (&*change.kind, change.service.as_deref(), &*change.by),
            ("release", Some("order-api"), "ci")
        );
        assert_eq!((&*change.text, change.at), ("order-api 1.4", hour));
        assert_eq!(change.link.as_deref(), Some("https://ci.example/7"));
        let later = (now + TimeDelta::hours(1)).to_rfc3339();
        let change =
            of(&event(json!({ "summary": "x", "timestamp": later, "class": "party" }), json!([])), now);
        assert_eq!((&*change.kind, change.service, change.at), ("other", None, now));
    }
}
