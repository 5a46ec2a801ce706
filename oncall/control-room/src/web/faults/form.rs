//! One fault with all of its parameters, a dry run, and the automatic stop that guards it.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use maud::{Markup, html};
use switchboard::{FaultPoint, Parameter};

use super::{
    stop, targets,
    units::{self, Unit},
};
use crate::{
    access::{Instructor, Visitor},
    actions::Done,
    error::Error,
    room::Room,
    web::{
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, badge, button, csrf, select},
    },
};

/// What is shown above the form.
pub(super) enum Said<'s> {
    /// Nothing yet.
    Nothing,
    /// What would happen.
    Would(&'s Done),
    /// Why nothing happened.
    Wrong(&'s Error),
}

pub(super) async fn show(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Path((service, fault)): Path<(String, String)>,
) -> Answer {
    draw(&room, &visitor, &service, &fault, &BTreeMap::new(), &Said::Nothing).await
}

/// The page; `given` are the fields as they were sent.
pub(super) async fn draw(
    room: &Room,
    visitor: &Visitor,
    service: &str,
    fault: &str,
    given: &BTreeMap<String, String>,
    said: &Said<'_>,
) -> Answer {
    let units = units::read(room, Some(service)).await?;
    let Some(points) = units.iter().find_map(|unit| unit.faults.as_ref().ok()) else {
        return Err(
            Error::Elsewhere(format!("no replica of {service} answers: its faults are not known")).into()
        );
    };
    let Some(point) = points.iter().find(|point| point.name == fault) else {
        let known: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        let (name, known) = (fault.to_owned(), known.join(", "));
        return Err(Error::NoSuch { what: "fault", name, known }.into());
    };
    let body = html! {
        div.stack {
            p { a href={ "/faults?service=" (service) "#catalogue" } { "Faults of " (service) } }
            h1 { (fault) }
            (heard(said))
            p { (point.summary) }
            (now(&units, fault))
            dl.kv { dt { "Signals" } dd { (point.signals) } dt { "How it ends" } dd { (point.ends) } }
            (form(room, visitor, &units, service, point, given))
        }
    };
    let frame = Page { title: fault, active: Tab::Faults, visitor, live: false };
    Ok(page(room, &frame, body))
}

fn heard(said: &Said<'_>) -> Markup {
    match said {
        Said::Nothing => html! {},
        Said::Would(done) => html! {
            div.callout.info.stack.tight role="status" {
                p { strong { "This would happen." } " Nothing has changed yet; the values are checked when it is switched on." }
                ul { @for outcome in &done.results {
                    li { (outcome.replica) ": " (outcome.text) @if !outcome.ok { " " (badge(Tone::Bad, "would fail")) } }
                } }
            }
        },
        Said::Wrong(error) => html! {
            div.callout.bad.stack.tight #error role="alert" tabindex="-1" {
                p { strong { "That was not done." } }
                @for line in error.to_string().lines() { p { (line) } }
            }
        },
    }
}

fn now(units: &[Unit], fault: &str) -> Markup {
    let active = units.iter().filter_map(|unit| {
        let point = unit.faults.as_ref().ok()?.iter().find(|point| point.name == fault)?;
        Some((unit, point.active.as_ref()?))
    });
    let active: Vec<_> = active.collect();
    html! {
        @if !active.is_empty() { ul { @for (unit, plan) in active { li { (badge(Tone::Warn, "on")) " in " (unit.name) ": " (plan.words()) } } } }
    }
}

fn form(
    room: &Room,
    visitor: &Visitor,
    units: &[Unit],
    service: &str,
    point: &FaultPoint,
    given: &BTreeMap<String, String>,
) -> Markup {
    let target = given.get("target").map_or(service, String::as_str);
    html! {
        form.card.stack method="post" action="/faults/set" {
            (csrf(room, visitor))
            input type="hidden" name="service" value=(service);
            input type="hidden" name="fault" value=(point.name);
            (select("fault", "target", "Where", &targets(units, service), target))
            fieldset.grid {
                legend { "Parameters" }
                @for parameter in &point.parameters { (field(parameter, given)) }
            }
            (stop::fields(room, given))
            div.actions {
                (button("Switch on", Tone::Info))
                button.button type="submit" name="dry" value="1" { "What would happen?" }
            }
        }
    }
}

fn field(parameter: &Parameter, given: &BTreeMap<String, String>) -> Markup {
    let name = format!("p-{}", parameter.name);
    let value = given.get(&name).map_or("", String::as_str);
    let id = format!("fault-{name}");
    html! {
        div.field {
            label for=(id) { (parameter.name) }
            p.help id={ (id) "-help" } {
                (parameter.summary.trim_end_matches('.')) ". Expects " (parameter.expects)
                @match &parameter.default {
                    Some(default) => { "; empty: " code { (default) } },
                    None => "; empty: does not apply",
                }
                "."
            }
            input type="text" id=(id) name=(name) value=(value) maxlength="200" autocomplete="off" spellcheck="false"
                placeholder=[parameter.default.as_ref()] aria-describedby={ (id) "-help" };
        }
    }
}
