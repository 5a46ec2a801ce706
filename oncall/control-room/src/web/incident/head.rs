//! The head of the page: what it is, how bad, since when, who has it, and what can be done, the most urgent first.

use incident::{Role, Severity, State};
use maud::{Markup, html};

use super::{
    summary::{impact, names, runbooks},
    view::View,
};
use crate::web::{
    incidents,
    parts::{
        Tone, ago, badge, button, button_link, csrf, glyph, lasting, select, severity, state, text_area,
        text_field,
    },
};

/// The head.
pub(super) fn head(view: &View<'_>, has_paper: bool) -> Markup {
    let incident = view.incident;
    html! {
        header.card.stack {
            div.row {
                a href="/incidents" { "Incidents" } span.muted { "/" } span.mono { (incident.id) }
                (severity(incident.severity)) (state(incident.state))
                @if incident.major { (badge(Tone::Bad, "major incident")) }
            }
            h1 { (incident.title) }
            @if !incident.description.is_empty() { p.description { (incident.description) } }
            (facts(view))
            (next_step(view))
            (actions(view, has_paper))
        }
    }
}

fn facts(view: &View<'_>) -> Markup {
    let (incident, now) = (view.incident, view.now);
    let impact = impact(incident);
    html! {
        div.facts {
            @if incident.state.is_open() { span { "Open for " strong { (lasting(incident.opened_at, now)) } } }
            @else { span { "Opened " (ago(incident.opened_at, now)) } span { (incident.state) " " (ago(incident.changed_at, now)) } }
            @match &incident.acknowledged {
                Some(acknowledged) => { span { "Acknowledged by " strong { (acknowledged.by) } " " (ago(acknowledged.at, now)) } },
                None if incident.state.is_open() => { span { (glyph(Tone::Bad)) " " strong { "Nobody has acknowledged" } } },
                None => {},
            }
            @if !incident.services.is_empty() { span { "Affects " strong { (names(incident)) } } }
            @if !impact.is_empty() { span { @if incident.state.is_open() { "Cost so far " } @else { "Cost " } strong { (impact) } } }
            @if let Some(commander) = incident.roles.get(&Role::Commander) { span { "Commander " strong { (commander) } } }
            @if incident.reopened > 0 { span { "Came back " strong { (incident.reopened) "×" } } }
            @if let Some(previous) = incident.previous { span { "Happened before in " a href={ "/incidents/" (previous) } { (previous) } } }
        }
    }
}

/// The one thing that comes next in its life, as the first button of the page.
fn next_step(view: &View<'_>) -> Markup {
    let incident = view.incident;
    let speed = view.room.config.speed();
    html! {
        @if incident.state.is_open() && incident.acknowledged.is_none() {
            // Links of notifications lead to this id.
            form.row #acknowledge method="post" action={ (view.path()) "/acknowledge" } {
                (csrf(view.room, view.visitor))
                (button("Acknowledge", Tone::Info))
                span.muted { "You take it over, and nobody else is woken." }
            }
        }
        @if let Some(at) = incident.resolves_at(speed) {
            p.muted { "All alerts are clear: it resolves by itself " (ago(at, view.now)) "." }
        }
    }
}

fn actions(view: &View<'_>, has_paper: bool) -> Markup {
    let incident = view.incident;
    let open = incident.state.is_open();
    let may = |to: State| incident.state.may_become().contains(&to);
    html! {
        div.row {
            @if open { (view.act("updates", "Update", &update(view), "Post the update")) }
            @if may(State::Mitigated) { (moves(view, "Mitigate", State::Mitigated, "What was done, so that users are no longer affected?")) }
            @if may(State::Resolved) { (moves(view, "Resolve", State::Resolved, "How is it known that it is over?")) }
            @if may(State::Closed) { (moves(view, "Close", State::Closed, "What is left to do is a task. What else should people know?")) }
            @if may(State::Active) && incident.state != State::Triage {
                (moves(view, "Make active again", State::Active, "What is seen again?"))
            }
            @if open {
                (view.act("escalate", "Escalate", &why(view, "escalate", "Why is the next level needed?"), "Page the next level"))
                (view.act("severity", "Severity", &severities(view), "Set the severity"))
                @if !incident.major { (view.act("major", "Declare major", &team(view), "Declare a major incident")) }
            }
            @if may(State::Dismissed) { (moves(view, "Dismiss", State::Dismissed, "Why was it no incident?")) }
            (view.act("title", "Rename", &text_field("title", "title", "Title", &incident.title, ""), "Rename"))
            @if open { (view.act("services", "Services", &services(view), "Save")) }
        }
        // Where to go from here: to what changes the system, to what shows it, to what others have written about it.
        div.links {
            @if open {
                div.row {
                    (button_link("Act on the system", &format!("/actions?incident={}", incident.id), Tone::Quiet))
                    (button_link("Explore", &format!("/explore?incident={}", incident.id), Tone::Quiet))
                }
            }
            @if has_paper { (button_link("Postmortem", &format!("/postmortems/{}", incident.id), Tone::Quiet)) }
            @else if !open { (button_link("Write the postmortem", &format!("/postmortems/{}/edit", incident.id), Tone::Quiet)) }
            @for (name, link) in runbooks(view.room, incident) { a href=(link) { "Runbook " (name) } }
            @for name in playbooks(incident.state, incident.major || incident.severity.is_major()) {
                a href={ "/playbooks/" (name) } { "Playbook: " (name) }
            }
        }
    }
}

/// The playbooks to read in a state. Everybody hands over; there is a team only for a major incident.
const fn playbooks(state: State, major: bool) -> &'static [&'static str] {
    match (state, major) {
        (State::Triage | State::Active, true) => &["roles", "communication", "hand-over"],
        (State::Mitigated, true) => &["communication", "hand-over", "stand-down"],
        (State::Triage | State::Active | State::Mitigated, false) => &["hand-over"],
        (State::Resolved, true) => &["stand-down"],
        (State::Resolved | State::Closed | State::Dismissed, _) => &[],
    }
}

/// A change of state.
fn moves(view: &View<'_>, word: &str, to: State, question: &str) -> Markup {
    let form = format!("state/{to}");
    view.act(&form, word, &text_area(&to.to_string(), "why", question, view.again(&form), ""), word)
}

fn update(view: &View<'_>) -> Markup {
    let help = "What is known, what is done, when the next update comes. Everybody reads it.";
    text_area("updates", "text", "Update", view.again("updates"), help)
}

fn why(view: &View<'_>, form: &str, question: &str) -> Markup {
    text_area(form, "why", question, view.again(form), "")
}

fn severities(view: &View<'_>) -> Markup {
    let options: Vec<(String, String)> =
        Severity::ALL.iter().map(|one| (one.to_string(), format!("{one}: {}", one.meaning()))).collect();
    html! {
        (select("severity", "severity", "Severity", &options, &view.incident.severity.to_string()))
        (why(view, "severity", "How is that known?"))
    }
}

/// The response team, by role; the person who declares it is the commander unless another one is chosen.
fn team(view: &View<'_>) -> Markup {
    let people = view.people("nobody yet");
    html! {
        (why(view, "major", "Why is a response team needed?"))
        @for role in Role::ALL {
            @let chosen = match (view.incident.roles.get(&role), role) {
                (Some(person), _) => person.as_str(),
                (None, Role::Commander) => view.visitor.name.as_str(),
                (None, _) => "",
            };
            (select("major", &role.to_string(), &format!("{role}: {}", role.duty()), &people, chosen))
        }
        p.help { "Everybody who gets a role is notified. " a href="/playbooks/declare" { "What a major incident is" } }
    }
}

fn services(view: &View<'_>) -> Markup {
    let affected =
        [("yes".to_owned(), "is affected".to_owned()), ("no".to_owned(), "is not affected".to_owned())];
    html! {
        (select("services", "service", "Service", &incidents::services(view.room, "choose one"), ""))
        (select("services", "affected", "It", &affected, "yes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_playbook_of_a_state_exists() {
        let content = crate::content::Content::open(None).unwrap();
        for state in [State::Triage, State::Active, State::Mitigated, State::Resolved, State::Closed] {
            for name in playbooks(state, true).iter().chain(playbooks(state, false)) {
                assert!(content.playbook(name).is_some(), "{state}: {name}");
            }
        }
        assert!(playbooks(State::Mitigated, true).contains(&"stand-down"));
        assert_eq!(playbooks(State::Active, false), ["hand-over"]);
    }
}
