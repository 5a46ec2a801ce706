//! The line above every page: whether something is wrong, the clock of a drill, who is on call, and whether the control
//! room can see.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    drills,
    parts::{Tone, badge, clock, glyph, lasting, severity_tone},
};
use crate::{
    room::Room,
    watch::{Reach, Seen},
};

/// The strip; `alone` says that it refreshes itself, because the page around it does not.
pub(super) fn strip(room: &Room, now: DateTime<Utc>, alone: bool) -> Markup {
    let seen = room.watch.seen();
    let poll = |value: &'static str| alone.then_some(value);
    html! {
        div #strip.strip hx-get=[poll("/strip")] hx-trigger=[poll("every 5s, news")] hx-select=[poll("#strip")]
            hx-swap=[poll("outerMorph")] {
            (state(room, &seen, now))
            (drills::clock::strip(now))
            div.strip-duty { (duty(room, now)) }
            div.strip-sight { (sight("Prometheus", &seen.prometheus)) (sight("Alertmanager", &seen.alertmanager)) }
            div.strip-clock.muted { (clock(now)) " UTC" }
        }
    }
}

/// The one sentence: what is wrong now.
fn state(room: &Room, seen: &Seen, now: DateTime<Utc>) -> Markup {
    let open = room.desk.open_ones();
    let firing = seen.alerts.iter().filter(|alert| alert.state == "firing" && !is_heartbeat(alert)).count();
    html! {
        div.strip-state {
            @if let Some(worst) = open.first() {
                (badge(severity_tone(worst.severity), &many(open.len(), "open incident")))
                a href={ "/incidents/" (worst.id) } title=(worst.title) {
                    span.mono { (worst.id) } " " (worst.severity) " " (worst.title)
                }
                span.muted { (lasting(worst.opened_at, now)) }
            } @else if seen.watchdog_silent {
                (badge(Tone::Bad, "Monitoring is silent"))
                span { "No alert would reach anybody." }
            } @else if let Reach::Down(_) = seen.prometheus {
                (badge(Tone::Warn, "Cannot see"))
                span { "Prometheus does not answer." }
            } @else if firing > 0 {
                (badge(Tone::Warn, &many(firing, "alert"))) a href="/alerts" { "firing, without an open incident" }
            } @else if seen.at.is_none() {
                (badge(Tone::Quiet, "Looking")) span { "Nothing has been measured yet." }
            } @else {
                (badge(Tone::Good, "No incident")) span { "No alert is firing." }
            }
        }
    }
}

fn is_heartbeat(alert: &observe::prometheus::Alert) -> bool {
    alert.labels.get("alertname").is_some_and(|name| name == incident::watchdog::NAME)
}

fn duty(room: &Room, now: DateTime<Utc>) -> Markup {
    let first = room.duty.now(now).into_iter().next();
    let person = first.as_ref().and_then(|on_call| on_call.primary.as_ref());
    html! {
        @match person {
            Some(primary) => { "On call: " a href="/oncall" { (primary.person) } },
            None => { (glyph(Tone::Warn)) " " a href="/oncall" { "Nobody is on call" } },
        }
    }
}

fn sight(what: &str, reach: &Reach) -> Markup {
    let (tone, text, why) = match reach {
        Reach::Up => (Tone::Good, "", None),
        Reach::Unknown => (Tone::Quiet, " not asked yet", None),
        Reach::Down(why) => (Tone::Bad, " does not answer", Some(why.as_str())),
    };
    html! { span.sight title=[why] { (glyph(tone)) (what) (text) } }
}

/// `1 open incident`, `2 open incidents`.
fn many(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_what_is_down_says_why() {
        assert_eq!((many(1, "alert"), many(3, "alert")), ("1 alert".to_owned(), "3 alerts".to_owned()));
        let shown = sight("Prometheus", &Reach::Down("refused".to_owned())).into_string();
        assert!(shown.contains("does not answer") && shown.contains("title=\"refused\""), "{shown}");
    }
}
