//! An incident in a few lines: for the first page, and for others that name it.

use chrono::{DateTime, Utc};
use incident::Incident;
use maud::{Markup, html};

use crate::{
    access::Visitor,
    room::Room,
    web::parts::{
        Tone, ago, badge, button, button_link, count, csrf, glyph, lasting, money, safe_link, severity,
        severity_tone, state,
    },
};

/// The affected services.
pub(in crate::web) fn names(incident: &Incident) -> String {
    incident.services.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What an incident costs, in words; empty if nobody has measured it.
pub(in crate::web) fn impact(incident: &Incident) -> String {
    let impact = &incident.impact;
    let parts = [
        impact.users.map(|users| format!("{} users", count(users))),
        impact.orders.map(|orders| format!("{} orders", count(orders))),
        impact.cents.map(money),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// An open incident on the first page: what, since when, how bad, who, and the next thing to do.
pub(in crate::web) fn card(
    room: &Room,
    visitor: &Visitor,
    incident: &Incident,
    now: DateTime<Utc>,
) -> Markup {
    let firing = incident.alerts.iter().filter(|member| member.ended_at.is_none()).count();
    let impact = impact(incident);
    let address = format!("/incidents/{}", incident.id);
    // What pages nobody does not ask louder than what does.
    let call = if incident.severity.is_major() { Tone::Info } else { Tone::Quiet };
    html! {
        article.incident {
            div.row {
                (severity(incident.severity)) (state(incident.state))
                @if incident.major { (badge(Tone::Bad, "major incident")) }
                span.muted { "open for " (lasting(incident.opened_at, now)) }
            }
            a.title href=(address) data-item { span.mono { (incident.id) } " " (incident.title) }
            div.facts {
                @match &incident.acknowledged {
                    Some(acknowledged) => { span { "Acknowledged by " strong { (acknowledged.by) } " " (ago(acknowledged.at, now)) } },
                    None => { span { (glyph(severity_tone(incident.severity))) " " strong { "Nobody has acknowledged" } } },
                }
                @if !incident.services.is_empty() { span { "Affects " strong { (names(incident)) } } }
                @if firing > 0 { span { strong { (firing) } @if firing == 1 { " alert fires" } @else { " alerts fire" } } }
                @if !impact.is_empty() { span { "So far " strong { (impact) } } }
            }
            div.links {
                div.row {
                    @if incident.acknowledged.is_none() {
                        form method="post" action={ (address) "/acknowledge" } {
                            (csrf(room, visitor))
                            (button("Acknowledge", call))
                        }
                    }
                    (button_link("Open", &address, Tone::Quiet))
                }
                @for (name, link) in runbooks(room, incident) { a href=(link) { "Runbook " (name) } }
            }
        }
    }
}

/// Runbooks of its alerts: name and address, each once.
pub(in crate::web) fn runbooks(room: &Room, incident: &Incident) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for member in &incident.alerts {
        let alert = &member.alert;
        if found.len() < 3 && !found.iter().any(|known| known.0 == alert.name) {
            let here = room.content.runbook(&alert.name).map(|_| format!("/runbooks/{}", alert.name));
            let elsewhere = || alert.runbook.as_deref().and_then(safe_link).map(str::to_owned);
            found.extend(here.or_else(elsewhere).map(|link| (alert.name.clone(), link)));
        }
    }
    found
}
