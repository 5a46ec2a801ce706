//! The forms of these pages. Each ends in a redirect to a page that says what happened, or in the form once more with what was
//! wrong.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chrono::Utc;
use http::StatusCode;
use serde::Deserialize;
use switchboard::Action;
use uuid::Uuid;

use super::{
    form::{self, Said},
    stop,
};
use crate::{
    access::{Form, Instructor, Visitor},
    actions::{Condition, Stop},
    error::{Error, Result},
    room::Room,
    web::failure::{Answer, Failure},
};

/// Actions among which one is looked up that is taken back.
const RECENT: usize = 1000;
/// What the names of parameters begin with in a form.
const PARAMETER: &str = "p-";

/// A fault that is wanted.
#[derive(Debug, PartialEq)]
struct Wish {
    service: String,
    action: Action,
    stop: Option<Condition>,
    dry: bool,
}

/// A fault that is no longer wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    target: String,
    fault: String,
}

/// A form without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// An action to take back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Undo {
    id: Uuid,
}

/// A protection to switch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    target: String,
    name: String,
    enabled: bool,
    #[serde(default)]
    ttl: String,
}

pub(super) async fn set(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Answer<Response> {
    let wanted = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let (service, fault) = (wanted("service"), wanted("fault"));
    let outcome = match wish(fields.clone()) {
        Ok(wish) => switch_on(&room, &visitor, wish).await,
        Err(error) => Err(error),
    };
    let said = match &outcome {
        Ok(done) if done.dry => Said::Would(done),
        Ok(done) => {
            return Ok(Redirect::to(&format!("/faults?service={service}&done={}", done.id)).into_response());
        }
        Err(error) => Said::Wrong(error),
    };
    let page = form::draw(&room, &visitor, &service, &fault, &fields, &said).await;
    match (outcome, page) {
        (Ok(_), page) => Ok(page?.into_response()),
        (Err(_), Ok(page)) => Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response()),
        // Not even the form can be shown: the first error says more.
        (Err(error), Err(_)) => Err(Failure::from(error)),
    }
}

/// Reads the form: its parameters have names that this program does not know.
fn wish(mut fields: BTreeMap<String, String>) -> Result<Wish> {
    let stop = stop::chosen(&mut fields)?;
    let dry = fields.remove("dry").is_some();
    let mut take = |name: &str| {
        let value = fields.remove(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Error::field(name, "is missing"))
    };
    let (service, target, fault) = (take("service")?, take("target")?, take("fault")?);
    let mut parameters = BTreeMap::new();
    for (name, value) in fields {
        let Some(parameter) = name.strip_prefix(PARAMETER) else {
            return Err(Error::field(name, "is not a field of this form"));
        };
        if !value.trim().is_empty() {
            parameters.insert(parameter.to_owned(), value.trim().to_owned());
        }
    }
    Ok(Wish { service, action: Action::SetFault { target, fault, parameters }, stop, dry })
}

/// The stop is set first: there is no moment in which the fault is on and nobody watches.
async fn switch_on(room: &Room, visitor: &Visitor, wish: Wish) -> Result<crate::actions::Done> {
    if let Some(condition) = &wish.stop {
        condition.check(room.content.slos())?;
    }
    let before = room.actions.stop().0;
    let stop = wish.stop.filter(|_| !wish.dry);
    let guarded = stop.is_some();
    if let Some(condition) = stop {
        let stop = Stop { condition, by: visitor.name.clone(), since: Utc::now() };
        room.actions.set_stop(Some(stop)).await?;
    }
    let done = room.actions.run(room, visitor, wish.action, None, wish.dry).await;
    if done.is_err() && guarded {
        room.actions.set_stop(before).await?;
    }
    done
}

pub(super) async fn end(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Form(End { target, fault }): Form<End>,
) -> Answer<Redirect> {
    let done = room.actions.run(&room, &visitor, Action::EndFault { target, fault }, None, false).await?;
    Ok(Redirect::to(&format!("/faults?done={}", done.id)))
}

pub(super) async fn end_all(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Redirect> {
    let done = room.actions.run(&room, &visitor, Action::EndFaults { target: None }, None, false).await?;
    room.actions.set_stop(None).await?;
    Ok(Redirect::to(&format!("/faults?done={}", done.id)))
}

pub(super) async fn remove_stop(
    State(room): State<Room>,
    Instructor(_): Instructor,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Redirect> {
    room.actions.set_stop(None).await?;
    Ok(Redirect::to("/faults#stop"))
}

pub(super) async fn undo(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Form(Undo { id }): Form<Undo>,
) -> Answer<Redirect> {
    let known = room.actions.recent(RECENT).await?;
    let action = known.into_iter().find(|done| done.id == id).and_then(|done| done.undo);
    let action =
        action.ok_or_else(|| Error::Conflict("this action cannot be taken back any more".to_owned()))?;
    let done = room.actions.run(&room, &visitor, action, None, false).await?;
    Ok(Redirect::to(&format!("/faults?done={}", done.id)))
}

pub(super) async fn protection(
    State(room): State<Room>,
    visitor: Visitor,
    Form(Switch { target, name, enabled, ttl }): Form<Switch>,
) -> Answer<Redirect> {
    let ttl = Some(ttl).filter(|ttl| !ttl.is_empty());
    let action = Action::SetProtection { target, name, enabled, ttl };
    let done = room.actions.run(&room, &visitor, action, None, false).await?;
    // What was done is listed for instructors only.
    let back =
        if visitor.is_instructor() { format!("/faults?done={}", done.id) } else { "/protections".to_owned() };
    Ok(Redirect::to(&back))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn empty_parameters_are_left_to_the_service_and_unknown_fields_are_refused() {
        let sent = [("service", "order-api"), ("target", "order-api-2"), ("fault", "http-error")];
        let with = |more: &[(&str, &str)]| fields(&[&sent[..], more].concat());
        let read =
            wish(with(&[("p-rate", " 0.2 "), ("p-route", ""), ("stop", "keep"), ("dry", "1")])).unwrap();
        let action = Action::SetFault {
            target: "order-api-2".to_owned(),
            fault: "http-error".to_owned(),
            parameters: fields(&[("rate", "0.2")]),
        };
        assert_eq!(read, Wish { service: "order-api".to_owned(), action, stop: None, dry: true });
        assert!(wish(with(&[("rate", "1")])).unwrap_err().to_string().starts_with("rate: is not a field"));
        assert_eq!(
            wish(fields(&[("service", "x"), ("target", "x")])).unwrap_err().to_string(),
            "fault: is missing"
        );
    }
}
