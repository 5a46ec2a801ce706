//! Who: the roles, who was paged and who is next, and the war room.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use incident::{Role, State};
use maud::{Markup, html};

use super::view::View;
use crate::{
    duty::Progress,
    notify::{DeliveryRow, RoomMessage, WarRoom},
    web::parts::{Tone, ago, badge, button_link, clock, empty, safe_link, select, text_area, tied},
};

/// Messages that are shown; older ones are in the timeline of the API.
const MESSAGES: usize = 100;

/// Roles and escalation.
pub(super) fn duty(view: &View<'_>, progress: Option<&Progress>, deliveries: &[DeliveryRow]) -> Markup {
    let roles: Vec<(String, String)> =
        Role::ALL.iter().map(|role| (role.to_string(), format!("{role}: {}", role.duty()))).collect();
    let give = html! {
        (select("roles", "role", "Role", &roles, "commander"))
        (select("roles", "person", "Person", &view.people("nobody"), &view.visitor.name))
        p.help { "The person who gets it is notified." }
    };
    let call = html! {
        (select("page", "person", "Person", &view.people("choose one"), ""))
        (text_area("page", "why", "Why is this person needed?", view.again("page"), ""))
    };
    let hurts = matches!(view.incident.state, State::Triage | State::Active);
    html! {
        section.card #people aria-labelledby="people-title" {
            h2 #people-title { "People" }
            dl.kv {
                @for role in Role::ALL {
                    dt title=(role.duty()) { (role) }
                    dd {
                        @match view.incident.roles.get(&role) {
                            Some(person) => { strong { (person) } },
                            None => { span.muted { "nobody" } },
                        }
                    }
                }
            }
            @if view.incident.state.is_open() {
                div.row {
                    (view.act("roles", "Give a role", &give, "Save"))
                    @if hurts { (view.act("page", "Page a person", &call, "Page now")) }
                }
            }
            h3 { "Escalation" }
            (escalation(progress, view.now))
            (failures(deliveries, view.now))
        }
    }
}

fn escalation(progress: Option<&Progress>, now: DateTime<Utc>) -> Markup {
    use rota::escalation::Progress as At;
    let Some(progress) = progress else {
        return html! { p.muted { "No policy pages anybody for this severity." } };
    };
    html! {
        p {
            "Policy " strong { (progress.policy) } ": "
            @match progress.state {
                At::Running => { "until somebody acknowledges" },
                At::Acknowledged { until: Some(until) } => { "paused; the acknowledgement expires " (ago(until, now)) },
                At::Acknowledged { until: None } => { "stopped, because somebody acknowledged" },
                At::Exhausted => { (badge(Tone::Bad, "nobody answered")) " all steps are done" },
                At::Ended => { "over" },
            }
        }
        @if let Some(next) = progress.next {
            p.muted {
                "Next: "
                @if progress.next_who.is_empty() { "the next step" } @else { strong { (progress.next_who.join(", ")) } }
                " " (ago(next, now))
            }
        }
        @if !progress.sent.is_empty() {
            p.muted {
                (progress.sent.len()) @if progress.sent.len() == 1 { " step" } @else { " steps" } " so far"
                @if let Some((_, at)) = progress.sent.last() { ", the last one " (ago(*at, now)) }
            }
        }
    }
}

/// Notifications that did not arrive, or of which nobody knows.
fn failures(deliveries: &[DeliveryRow], now: DateTime<Utc>) -> Markup {
    // The newest of each cause: a machine without a screen fails everybody in the same way.
    let mut causes = BTreeSet::new();
    let bad = deliveries.iter().rev().filter(|row| matches!(row.state.as_str(), "failed" | "unknown"));
    let bad: Vec<&DeliveryRow> =
        bad.filter(|row| causes.insert((&row.channel, &row.state, &row.error))).take(5).collect();
    html! {
        @if !bad.is_empty() {
            ul.stack.tight {
                @for row in &bad {
                    li {
                        (badge(Tone::Warn, if row.state == "failed" { "not delivered" } else { "perhaps delivered" }))
                        " " (row.channel) @if let Some(person) = &row.person { " to " (person) }
                        " " span.muted { (ago(row.created_at, now)) @if let Some(error) = &row.error { ": " (error) } }
                    }
                }
            }
        }
    }
}

/// Where people talk.
pub(super) fn war_room(view: &View<'_>, room: Option<&WarRoom>, thread: &[RoomMessage]) -> Markup {
    let elsewhere =
        room.filter(|room| room.kind == "slack").and_then(|room| room.url.as_deref()).and_then(safe_link);
    let open = room.is_some_and(|room| room.state != "archived");
    let skipped = thread.len().saturating_sub(MESSAGES);
    html! {
        section.card #war-room aria-labelledby="war-room-title" {
            h2 #war-room-title { "War room" }
            @if let Some(url) = elsewhere { p.row { (button_link("Join war room", url, Tone::Quiet)) span.muted { "in Slack" } } }
            @if room.is_none() {
                (empty("No war room.", html! { "One opens for SEV-1 to SEV-3 and for a major incident." }))
            } @else if thread.is_empty() {
                (empty("Nobody has said anything.", html! { "What is said here is kept with the incident." }))
            }
            div.thread tabindex="0" role="region" aria-label="Messages" {
                @for message in thread.iter().skip(skipped) {
                    div { p.muted { strong { (message.author) } " " (clock(message.at)) } p.text { (tied(&message.text)) } }
                }
            }
            @if open {
                (view.form("messages", &text_area("messages", "text", "Message", view.again("messages"), ""), "Say it", Tone::Quiet))
            }
        }
    }
}
