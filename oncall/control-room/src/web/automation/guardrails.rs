//! `guardrails.yaml` in words: what automation may do by itself, and what holds it back whatever the rules say.

use maud::{Markup, html};
use rota::Windows;
use runbook::{
    Guardrails,
    guardrails::{Limit, Rule, Then},
    parameter::words,
};

use crate::{
    room::Room,
    runbooks::Denial,
    web::parts::{Tone, badge},
};

/// The file that is read.
const FILE: &str = "guardrails.yaml";

pub(super) fn card(room: &Room) -> Markup {
    let read = room.content.guardrails().map(|text| runbook::read_guardrails(FILE, &text));
    html! {
        section.card.stack.tight aria-labelledby="rails-title" {
            h2 #rails-title { "Guardrails" }
            @match &read {
                None => p { "There is no " code { (FILE) } ": automation only recommends." },
                Some(Err(problems)) => div.callout.warn {
                    p { strong { (FILE) " has problems." } " The last good one stays in force." }
                    pre.mono { (problems) }
                },
                Some(Ok(rails)) => { (limits(rails, room.config.speed())) (rules(rails)) },
            }
            (denied(&room.runbooks.denials()))
        }
    }
}

/// What holds automation back, whatever the rules say.
fn limits(rails: &Guardrails, speed: u32) -> Markup {
    let limit = |limit: Limit| format!("{} within {}", limit.most, words(limit.within));
    let clock = if speed > 1 {
        format!(" Times are those of production: here they pass {speed} times as fast.")
    } else {
        String::new()
    };
    html! {
        ul.stack.tight {
            li { "At most " strong { (limit(rails.per_target)) } " on one target, and " strong { (limit(rails.global)) } " in all." (clock) }
            li {
                "Never fewer healthy replicas than "
                @for (service, least) in &rails.minimum_healthy { (service) " " strong { (least) } ", " }
                "and 1 of any other service; never two replicas of a service at once."
            }
            li { "Nothing to a service that is being deployed, or that has another incident." }
            li {
                "After " strong { (rails.breaker.failed_verifies) } " runs within " (words(rails.breaker.within))
                " that did not help, automation switches itself off, and a person is paged."
            }
            @if let Some(hours) = &rails.quiet_hours { li { (quiet(hours)) } }
        }
    }
}

fn quiet(hours: &Windows) -> Markup {
    html! {
        "It asks first in quiet hours:"
        @for window in &hours.windows { " " (window.from.format("%H:%M")) " to " (window.until.format("%H:%M")) }
        " (" (hours.zone.name()) ")."
    }
}

/// What it may do, what it asks for, and what it never does.
fn rules(rails: &Guardrails) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Rules" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Then" } th scope="col" { "What" } th scope="col" { "To what" }
                    th scope="col" { "In runbooks" }
                } }
                tbody { @for rule in &rails.rules { (row(rule)) } }
            }
        }
        p.muted { "A denial wins over all others. What no rule covers is only recommended: a person starts it." }
    }
}

/// What the API denies beside the file.
fn denied(denials: &[Denial]) -> Markup {
    let or_all = |list: &[String]| if list.is_empty() { "all".to_owned() } else { list.join(", ") };
    html! {
        @if !denials.is_empty() {
            p { "Denied beside the file, by the API:" }
            ul.stack.tight {
                @for denial in denials {
                    li {
                        strong { (denial.name) } ": " (or_all(&denial.fields.verbs)) " of " (or_all(&denial.fields.targets))
                        ", in runbooks: " (or_all(&denial.fields.runbooks)) ". " (denial.fields.why)
                        span.muted { " (" (denial.by) ")" }
                    }
                }
            }
        }
    }
}

fn row(rule: &Rule) -> Markup {
    let (tone, word) = match rule.then {
        Then::Auto => (Tone::Good, "by itself"),
        Then::Ask => (Tone::Warn, "asks first"),
        Then::Deny => (Tone::Bad, "never"),
    };
    let verbs = rule.verbs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let or_all = |text: String| if text.is_empty() { "all".to_owned() } else { text };
    html! {
        tr {
            th scope="row" { (rule.name) p.muted { (rule.why) } }
            td { (badge(tone, word)) }
            td { (or_all(verbs)) }
            td { (or_all(rule.targets.join(", "))) }
            td { (or_all(rule.runbooks.join(", "))) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    #[test]
    fn the_committed_guardrails_are_said_in_words() {
        let text = Content::open(None).unwrap().guardrails().unwrap();
        let rails = runbook::read_guardrails(FILE, &text).unwrap();
        let said = html! { (limits(&rails, 60)) (rules(&rails)) }.into_string();
        for words in ["within 1h", "60 times as fast", "order-api", "asks first", "never", "Europe/Berlin"] {
            assert!(said.contains(words), "no `{words}` in {said}");
        }
    }
}
