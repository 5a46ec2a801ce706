//! Faults and protections. Faults are for instructors: what is on and when it ends, the catalogue of every service, the automatic
//! stop, what was done last. Protections are for everybody: to switch one on is a mitigation.
//!
//! What is active is asked of the services themselves each time; this page keeps nothing.

mod act;
mod active;
mod catalogue;
mod form;
mod protections;
mod stop;
mod units;

use axum::{
    Router,
    extract::{Query, State},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Area, acts,
    failure::Answer,
    layout::{Page, Tab, page},
    parts::{Tone, badge, button, csrf, empty},
};
use crate::{
    access::{Instructor, Visitor},
    actions::Done,
    error::Error,
    room::Room,
};
use units::Unit;

/// Actions that the page lists.
const RECENT: usize = 20;

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/faults", get(show))
        .route("/faults/{service}/{fault}", get(form::show))
        .route("/faults/set", post(act::set))
        .route("/faults/end", post(act::end))
        .route("/faults/end-all", post(act::end_all))
        .route("/faults/stop", post(act::remove_stop))
        .route("/faults/undo", post(act::undo))
        .route("/protections", get(protections::show).post(act::protection));
    let declared = &[
        ("GET", "/faults"),
        ("GET", "/faults/{service}/{fault}"),
        ("POST", "/faults/set"),
        ("POST", "/faults/end"),
        ("POST", "/faults/end-all"),
        ("POST", "/faults/stop"),
        ("POST", "/faults/undo"),
        ("GET", "/protections"),
        ("POST", "/protections"),
    ];
    (router, declared)
}

/// What is looked at.
#[derive(Debug, Deserialize)]
struct Asked {
    /// The service whose faults are listed; by default the first one.
    service: Option<String>,
    /// The action that was just done.
    done: Option<Uuid>,
}

async fn show(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Query(asked): Query<Asked>,
) -> Answer {
    let now = Utc::now();
    let units = units::read(&room, None).await?;
    let recent = room.actions.recent(RECENT).await?;
    let services = units::services(&units);
    let service = match &asked.service {
        Some(name) if !services.contains(&name.as_str()) => {
            let known = services.join(", ");
            return Err(Error::NoSuch { what: "service", name: name.clone(), known }.into());
        }
        Some(name) => Some(name.as_str()),
        None => services.first().copied(),
    };
    let done = asked.done.and_then(|id| recent.iter().find(|done| done.id == id));
    let body = html! {
        div.stack {
            header.toolbar {
                h1 { "Faults and protections" }
                form method="post" action="/faults/end-all" {
                    (csrf(&room, &visitor)) (button("End all faults", Tone::Info))
                }
            }
            @if let Some(done) = done { (acts::announced(done, &undo(&room, &visitor, done))) }
            @for unit in &units { (units::trouble(unit)) }
            (active::draw(&room, &visitor, &units, now))
            (stop::draw(&room, &visitor, now))
            @match service {
                Some(service) => (catalogue::draw(&room, &visitor, &units, &services, service)),
                None => (empty("No service is known here.", html! { "Name them with " code { "INSTANCES" } "." })),
            }
            section.stack.tight aria-labelledby="protections" {
                h2 #protections { "Protections" }
                (protections::table(&room, &visitor, &units))
            }
            (history(&room, &visitor, &recent, now))
        }
    };
    let frame = Page { title: "Faults and protections", active: Tab::Faults, visitor: &visitor, live: false };
    Ok(page(&room, &frame, body))
}

fn undo(room: &Room, visitor: &Visitor, done: &Done) -> Markup {
    html! {
        @if done.undo.is_some() {
            form method="post" action="/faults/undo" {
                (csrf(room, visitor))
                input type="hidden" name="id" value=(done.id);
                button.button.small type="submit" { "Undo" span.sr { ": " (done.text) } }
            }
        }
    }
}

fn history(room: &Room, visitor: &Visitor, recent: &[Done], now: DateTime<Utc>) -> Markup {
    let rows: Vec<Markup> = recent.iter().map(|done| row(room, visitor, done, now)).collect();
    acts::table(&rows, "Every action is listed here, with who asked for it.")
}

fn row(room: &Room, visitor: &Visitor, done: &Done, now: DateTime<Utc>) -> Markup {
    let results = html! {
        @for outcome in done.failures() {
            p { (badge(Tone::Warn, "failed")) " " (outcome.replica) ": " (outcome.text) }
        }
    };
    acts::row(done, now, &results, &undo(room, visitor, done))
}

/// Whom a service's name reaches, for a choice: all replicas, or one.
fn targets(units: &[Unit], service: &str) -> Vec<(String, String)> {
    let replicas: Vec<&str> =
        units.iter().filter(|unit| unit.service == service).map(|unit| unit.name.as_str()).collect();
    match replicas.as_slice() {
        [] | [_] => vec![(service.to_owned(), service.to_owned())],
        several => {
            let all = (service.to_owned(), format!("all {} replicas", several.len()));
            let first = |name: &str| if name == service { format!("{service}-1") } else { name.to_owned() };
            let each = several.iter().map(|name| (first(name), first(name)));
            std::iter::once(all).chain(each).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_replicas_can_be_chosen_together_or_alone() {
        let unit = |name: &str| Unit {
            service: "order-api".to_owned(),
            name: name.to_owned(),
            faults: Ok(Vec::new()),
            protections: Ok(Vec::new()),
        };
        let values = |units: &[Unit]| {
            targets(units, "order-api").into_iter().map(|(value, _)| value).collect::<Vec<_>>()
        };
        assert_eq!(values(&[unit("order-api")]), ["order-api"]);
        // The service's own name would mean all of them.
        assert_eq!(
            values(&[unit("order-api"), unit("order-api-2")]),
            ["order-api", "order-api-1", "order-api-2"]
        );
    }
}
