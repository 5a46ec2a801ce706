//! What is on now, where, and when it ends.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use switchboard::{FaultPoint, Plan};

use super::units::Unit;
use crate::{
    access::Visitor,
    room::Room,
    web::parts::{Tone, ago, badge, csrf, empty},
};

/// The table refreshes itself; the forms around it do not, so that nobody's choice is overwritten.
pub(super) fn draw(room: &Room, visitor: &Visitor, units: &[Unit], now: DateTime<Utc>) -> Markup {
    let active: Vec<(&Unit, &FaultPoint, &Plan)> = units
        .iter()
        .flat_map(|unit| unit.faults.iter().flatten().map(move |point| (unit, point)))
        .filter_map(|(unit, point)| Some((unit, point, point.active.as_ref()?)))
        .collect();
    html! {
        section #active.stack.tight aria-labelledby="active-title" hx-get="" hx-trigger="every 2s" hx-select="#active" hx-swap="outerMorph" {
            h2 #active-title { "Active faults" }
            @if active.is_empty() { (empty("No fault is on.", html! { "Choose one below. Each ends by itself after its " code { "ttl" } "." })) }
            @else {
                div.card.scroll tabindex="0" role="region" aria-label="Active faults" {
                    table.table.rows {
                        thead { tr {
                            th scope="col" { "Fault" } th scope="col" { "Where" } th scope="col" { "Parameters" }
                            th scope="col" { "Ends" } th scope="col" { span.sr { "End it" } }
                        } }
                        tbody { @for (unit, point, plan) in &active { (line(room, visitor, unit, point, plan, now)) } }
                    }
                }
            }
        }
    }
}

fn line(
    room: &Room,
    visitor: &Visitor,
    unit: &Unit,
    point: &FaultPoint,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Markup {
    let ends = plan.expires_at.as_ref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    // The service's own name would mean all of its replicas.
    let target = if unit.name == unit.service { format!("{}-1", unit.service) } else { unit.name.clone() };
    html! {
        tr {
            th scope="row" { a href={ "/faults/" (unit.service) "/" (point.name) } { (point.name) } p.muted { (point.summary) } }
            td { (unit.name) }
            td.mono { "rate=" (plan.rate) @for (name, value) in &plan.parameters { " " (name) "=" (value.as_str().unwrap_or_default()) } }
            td { @match ends {
                Some(at) => (ago(at, now)),
                None => (badge(Tone::Quiet, "on from the start")),
            } }
            td {
                form method="post" action="/faults/end" {
                    (csrf(room, visitor))
                    input type="hidden" name="target" value=(target);
                    input type="hidden" name="fault" value=(point.name);
                    button.button.small type="submit" { "End" span.sr { " " (point.name) " in " (unit.name) } }
                }
            }
        }
    }
}
