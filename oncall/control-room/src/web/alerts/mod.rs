//! Alerts and objectives: what fires, since when, who works on it, what is muted; what each objective promises and how fast its
//! budget burns.

mod burn;
mod muted;
mod objectives;

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use chrono::{DateTime, Utc};
use incident::{Incident, Severity};
use maud::{Markup, html};
use observe::prometheus::Alert;

pub(super) use self::{burn::fast, objectives::verdict};
use super::{
    Area,
    layout::{Html, Page, Tab, page},
    parts::{self, Tone, ago, badge, empty, unreachable},
};
use crate::{
    access::Visitor,
    room::Room,
    watch::{Reach, Seen},
};
use muted::Muted;

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/alerts", get(show))
        .route("/alerts/objectives/{slo}/burn.json", get(burn::curve));
    (router, &[("GET", "/alerts"), ("GET", "/alerts/objectives/{slo}/burn.json")])
}

/// Most rows of a table: a storm must not make the page useless.
const ROWS: usize = 200;

/// The name of an alert.
pub(super) fn alert_name(alert: &Alert) -> &str {
    alert.labels.get("alertname").map_or("", String::as_str)
}

/// The open incident that an alert has joined.
pub(super) fn incident_of<'i>(open: &'i [Arc<Incident>], alert: &Alert) -> Option<&'i Incident> {
    let service = alert.labels.get("service");
    let is = |of: &incident::alerts::Alert| of.name == alert_name(alert) && of.service.as_ref() == service;
    let joined = |incident: &&Arc<Incident>| {
        incident.alerts.iter().any(|member| member.ended_at.is_none() && is(&member.alert))
    };
    open.iter().find(joined).map(Arc::as_ref)
}

/// What rows of alerts are drawn from.
struct Context {
    open: Vec<Arc<Incident>>,
    runbooks: Vec<String>,
    muted: Muted,
    now: DateTime<Utc>,
}

async fn show(State(room): State<Room>, visitor: Visitor) -> Html {
    let (seen, now) = (room.watch.seen(), Utc::now());
    let (muted, burns) = tokio::join!(muted::read(&room, &seen), burn::all(&room, &seen, now));
    let context = Context { open: room.desk.open_ones(), runbooks: room.content.runbooks(), muted, now };
    let listed = |state: &str| {
        let mut alerts: Vec<&Alert> = seen.alerts.iter().filter(|alert| alert.state == state).collect();
        alerts.sort_by_key(|alert| (Severity::of_labels(&alert.labels), alert.active_at));
        alerts
    };
    let (firing, pending) = (listed("firing"), listed("pending"));
    let body = html! {
        div.stack {
            h1 { "Alerts and SLOs" }
            p { (summary(&seen, &firing, &pending)) }
            (trouble(&seen, &context.muted))
            section.stack.tight aria-labelledby="firing" {
                h2 #firing { "Firing" }
                @if firing.is_empty() && seen.at.is_none() {
                    (empty("Not known yet.", html! { "What fires appears here as soon as Prometheus has answered." }))
                } @else if firing.is_empty() {
                    (empty("Nothing fires.", html! { "Pages and tickets appear here as soon as Prometheus reports them." }))
                } @else { (table(&context, &firing)) }
            }
            @if !pending.is_empty() {
                section.stack.tight aria-labelledby="pending" {
                    h2 #pending { "Pending" }
                    p.muted { "The condition holds, but not yet for long enough." }
                    (table(&context, &pending))
                }
            }
            (protections(&seen))
            section.stack.tight aria-labelledby="objectives" {
                h2 #objectives { "Objectives" }
                (objectives::cards(&room, &seen, &burns))
            }
            p { a href="/runbooks" { "All runbooks" } }
        }
    };
    let frame = Page { title: "Alerts and SLOs", active: Tab::Alerts, visitor: &visitor, live: true };
    page(&room, &frame, body)
}

/// One sentence: how bad it is.
fn summary(seen: &Seen, firing: &[&Alert], pending: &[&Alert]) -> Markup {
    if seen.at.is_none() {
        return match &seen.prometheus {
            Reach::Down(_) => {
                html! { (badge(Tone::Warn, "no data")) " Prometheus has not answered since the control room started." }
            }
            _ => {
                html! { (badge(Tone::Quiet, "loading")) " The control room has just started and has not asked Prometheus yet." }
            }
        };
    }
    let count = |number: usize, one: &str, many: &str| {
        if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
    };
    let spent = seen.budgets.iter().filter(|budget| budget.remaining.is_some_and(|left| left <= 0.0)).count();
    let fires = count(firing.len(), "alert fires", "alerts fire");
    let waits = count(pending.len(), "is pending", "are pending");
    let budgets = count(spent, "error budget is spent", "error budgets are spent");
    let tone = if !firing.is_empty() {
        Tone::Bad
    } else if pending.is_empty() {
        Tone::Good
    } else {
        Tone::Warn
    };
    html! { (badge(tone, &fires)) " " (waits) ", " (budgets) "." }
}

/// What cannot be seen, before what can.
fn trouble(seen: &Seen, muted: &Muted) -> Markup {
    html! {
        @if let Reach::Down(why) = &seen.prometheus { (unreachable("Prometheus", why)) }
        @if let Reach::Down(why) = &seen.alertmanager { (unreachable("Alertmanager", why)) }
        @else if let Some(why) = &muted.problem { (unreachable("Alertmanager", why)) }
        @if seen.watchdog_silent {
            div.callout.bad role="alert" {
                p { strong { "Monitoring is silent." } " The alert that always fires has stopped arriving: other alerts may not arrive either." }
            }
        }
    }
}

fn table(context: &Context, alerts: &[&Alert]) -> Markup {
    html! {
        div.card.scroll tabindex="0" role="region" aria-label="Alerts" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Alert" } th scope="col" { "Severity" } th scope="col" { "Service" }
                    th scope="col" { "Since" } th scope="col" { "Incident" } th scope="col" { "Evidence" }
                } }
                tbody { @for alert in alerts.iter().take(ROWS) { (row(context, alert)) } }
            }
            @if alerts.len() > ROWS {
                p.muted { "And " (alerts.len() - ROWS) " more, which are less urgent. Incidents group them." }
            }
        }
    }
}

fn row(context: &Context, alert: &Alert) -> Markup {
    let name = alert_name(alert);
    // Boards are drawn here, at the paths of Grafana.
    let board = alert.annotations.get("dashboard_url").and_then(|url| url.find("/d/").map(|at| &url[at..]));
    html! {
        tr {
            th scope="row" {
                strong { (name) }
                @if let Some(summary) = alert.annotations.get("summary") { p.muted { (summary) } }
                @if let Some(why) = context.muted.why(alert) { p { (badge(Tone::Quiet, "muted")) " " (why) } }
            }
            td { (parts::severity(Severity::of_labels(&alert.labels))) }
            td { (alert.labels.get("service").map_or("–", String::as_str)) }
            td { @match alert.active_at {
                Some(at) => (ago(at, context.now)),
                None => "–",
            } }
            td { @match incident_of(&context.open, alert) {
                Some(incident) => a href={ "/incidents/" (incident.id) } { (incident.id) },
                None => span.muted { "none" },
            } }
            td { div.links {
                @if context.runbooks.iter().any(|known| known == name) { a href={ "/runbooks/" (name) } { "Runbook" } }
                @if let Some(board) = board { a href=(board) { "Dashboard" } }
            } }
        }
    }
}

/// Protections that are off explain many alerts, and are quick to switch on.
fn protections(seen: &Seen) -> Markup {
    html! {
        @if !seen.protections_off.is_empty() {
            div.callout.warn {
                p {
                    strong { "Protections are off:" }
                    @for one in &seen.protections_off { " " (one.name) " in " (one.instance) "," }
                    " which may make this worse. " a href="/protections" { "Switch them on" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_answer_it_says_whether_anybody_has_asked() {
        let shown = |prometheus| summary(&Seen { prometheus, ..Seen::default() }, &[], &[]).into_string();
        assert!(shown(Reach::Unknown).contains("has not asked Prometheus yet"));
        assert!(shown(Reach::Down("refused".to_owned())).contains("has not answered since"));
    }
}
