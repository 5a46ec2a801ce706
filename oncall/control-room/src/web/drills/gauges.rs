//! What a responder keeps an eye on: the time that is left, the load, what users get, and the budgets.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{clock::left, facts::Run};
use crate::{
    watch::{Budget, Seen},
    web::parts::{Tone, badge, empty, meter, or_dash, percent, rate, seconds},
};

/// The generator of the load, and the service that callers speak to.
const LOAD: &str = "load";
const FRONT: &str = "order-api";

/// The card with all gauges.
pub(super) fn card(run: &Run, seen: &Seen, now: DateTime<Utc>) -> Markup {
    html! {
        section.card aria-labelledby="gauges-title" {
            h2 #gauges-title { "Now" }
            div.lead {
                (time(run, now))
                (load(seen))
                (front(seen))
            }
            h3 { "Error budgets" }
            (budgets(&seen.budgets))
        }
    }
}

fn time(run: &Run, now: DateTime<Utc>) -> Markup {
    let used = run.time_box_ends.map(|ends| {
        let whole = (ends - run.started_at).as_seconds_f64();
        if whole > 0.0 { (now - run.started_at).as_seconds_f64() / whole } else { 1.0 }
    });
    let tone = if used.is_some_and(|used| used > 0.75) { Tone::Warn } else { Tone::Info };
    html! {
        div {
            p.name { "Time" }
            p.big { (left(run, now)) }
            @if let Some(used) = used { (meter(used, tone)) }
        }
    }
}

fn load(seen: &Seen) -> Markup {
    let sent = seen.service(LOAD).and_then(|service| service.rate);
    html! {
        div {
            p.name { "Load, requests per second" }
            p.big { (or_dash(sent, rate)) }
        }
    }
}

/// What users get.
fn front(seen: &Seen) -> Markup {
    let front = seen.service(FRONT);
    let errors = front.and_then(|service| service.errors);
    let slow = front.and_then(|service| service.p95);
    html! {
        div {
            p.name { (FRONT) ", errors" }
            p.big { (or_dash(errors, percent)) }
        }
        div {
            p.name { (FRONT) ", 95th percentile" }
            p.big { (or_dash(slow, seconds)) }
        }
    }
}

fn budgets(budgets: &[Budget]) -> Markup {
    html! {
        @if budgets.is_empty() {
            (empty("No budget has been measured yet.", html! { "Prometheus has to answer first." }))
        } @else {
            table.table {
                thead { tr {
                    th scope="col" { "Objective" } th.num scope="col" { "Left" } th.num scope="col" { "Burn" }
                } }
                tbody { @for budget in budgets { (row(budget)) } }
            }
        }
    }
}

fn row(budget: &Budget) -> Markup {
    // A page is sent from 6 on; what burns slower than 1 never ends.
    let tone = match budget.burn {
        Some(burn) if burn >= 6.0 => Tone::Bad,
        Some(burn) if burn >= 1.0 => Tone::Warn,
        Some(_) => Tone::Good,
        None => Tone::Quiet,
    };
    html! {
        tr {
            td { (budget.title) (meter(budget.remaining.unwrap_or(0.0), tone)) }
            td.num { (or_dash(budget.remaining, percent)) }
            td.num {
                (or_dash(budget.burn, |burn| format!("{burn:.1}×")))
                @if tone == Tone::Bad { " " (badge(tone, "fast")) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::watch::ServiceSeen;

    fn shown(seen: &Seen) -> String {
        let now: DateTime<Utc> = "2026-05-04T10:00:00Z".parse().unwrap();
        let run = Run {
            phase: "observe".to_owned(),
            started_at: now - TimeDelta::minutes(9),
            time_box_ends: Some(now + TimeDelta::minutes(1)),
            ..Run::default()
        };
        card(&run, seen, now).into_string()
    }

    #[test]
    fn every_gauge_has_its_number_and_its_unit() {
        let service =
            |name: &str, rate| ServiceSeen { name: name.to_owned(), rate, ..ServiceSeen::default() };
        let mut front = service("order-api", Some(48.0));
        (front.errors, front.p95) = (Some(0.31), Some(0.012));
        let budget = Budget {
            slo: "order-availability".to_owned(),
            title: "Order availability".to_owned(),
            objective: 0.999,
            remaining: Some(0.4),
            burn: Some(31.0),
            service: "order-api".to_owned(),
        };
        let seen = Seen {
            services: vec![service("load", Some(50.2)), front],
            budgets: vec![budget],
            ..Seen::default()
        };
        let shown = shown(&seen);
        for text in [
            "1:00</time> left",
            "50.2/s",
            "31\u{a0}%",
            "12\u{a0}ms",
            "40\u{a0}%",
            "31.0×",
            "fast",
            "meter warn",
        ] {
            assert!(shown.contains(text), "{text} in {shown}");
        }
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let shown = shown(&Seen::default());
        assert!(shown.contains('–') && shown.contains("No budget has been measured yet."), "{shown}");
    }
}
