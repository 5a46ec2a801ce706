//! The protections of every service: what is in force, and a switch. For everybody, because to switch one on again is a mitigation.

use std::collections::BTreeMap;

use axum::extract::State;
use maud::{Markup, html};
use switchboard::Protection;

use super::{
    catalogue::TIMES,
    units::{self, Unit},
};
use crate::{
    access::Visitor,
    room::Room,
    web::{
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, badge, csrf, duration, empty},
    },
};

pub(super) async fn show(State(room): State<Room>, visitor: Visitor) -> Answer {
    let units = units::read(&room, None).await?;
    let body = html! {
        div.stack {
            h1 { "Protections" }
            p.muted { "Circuit breakers, retry budgets and others that keep a failure small. One that is off makes an incident worse." }
            @for unit in &units { (units::trouble(unit)) }
            (table(&room, &visitor, &units))
        }
    };
    let frame = Page { title: "Protections", active: Tab::Alerts, visitor: &visitor, live: false };
    Ok(page(&room, &frame, body))
}

/// A row for each protection of each service, with the replicas in which it is off.
pub(super) fn table(room: &Room, visitor: &Visitor, units: &[Unit]) -> Markup {
    let mut rows: BTreeMap<(&str, &str), Vec<(&Unit, &Protection)>> = BTreeMap::new();
    for unit in units {
        for protection in unit.protections.iter().flatten() {
            rows.entry((&unit.service, &protection.name)).or_default().push((unit, protection));
        }
    }
    if rows.is_empty() {
        return empty("No protection is known.", html! { "Services tell them as soon as they answer." });
    }
    html! {
        div.card.scroll tabindex="0" role="region" aria-label="Protections" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Service" } th scope="col" { "Protection" } th scope="col" { "State" } th scope="col" { span.sr { "Switch" } }
                } }
                tbody { @for ((service, name), of) in &rows { (row(room, visitor, service, name, of)) } }
            }
        }
    }
}

fn row(room: &Room, visitor: &Visitor, service: &str, name: &str, of: &[(&Unit, &Protection)]) -> Markup {
    let off: Vec<&(&Unit, &Protection)> = of.iter().filter(|(_, protection)| !protection.enabled).collect();
    let summary = of.first().map_or("", |(_, protection)| protection.summary.as_str());
    let id = format!("off-{service}-{name}");
    html! {
        tr {
            td { (service) }
            th scope="row" { (name) p.muted { (summary) } }
            td {
                @if off.is_empty() { (badge(Tone::Good, "on")) }
                @for (unit, protection) in off.iter().map(|pair| **pair) {
                    p {
                        (badge(Tone::Warn, "off")) " in " (unit.name)
                        @if let Some(left) = protection.seconds_left { " for " (duration(left)) }
                    }
                }
            }
            td {
                form.inline method="post" action="/protections" {
                    (csrf(room, visitor))
                    input type="hidden" name="target" value=(service);
                    input type="hidden" name="name" value=(name);
                    @if off.is_empty() {
                        input type="hidden" name="enabled" value="false";
                        label.sr for=(id) { "For how long" }
                        select id=(id) name="ttl" {
                            option value="" { "until switched on" }
                            @for time in TIMES { option value=(time) selected[time == "5m"] { "for " (time) } }
                        }
                        button.button.small type="submit" { "Switch off" span.sr { " " (name) " of " (service) } }
                    } @else {
                        input type="hidden" name="enabled" value="true";
                        button.button.small.info type="submit" { "Switch on" span.sr { " " (name) " of " (service) } }
                    }
                }
            }
        }
    }
}
