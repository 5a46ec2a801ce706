//! Objectives: what each promises, what is left of its budget, how fast that burns.

use std::collections::BTreeMap;

use maud::{Markup, html};
use slo::{Slo, window::humane};

use super::burn::{self, Points};
use crate::{
    objectives::Declared,
    room::Room,
    watch::{Budget, Seen},
    web::parts::{Line, Tone, badge, chart, duration, empty, meter, percent},
};

/// A card for each.
pub(super) fn cards(room: &Room, seen: &Seen, burns: &BTreeMap<String, Points>) -> Markup {
    let (slos, declared) = (room.content.slos(), room.objectives.all());
    if slos.is_empty() && declared.is_empty() {
        return empty(
            "There is no objective.",
            html! { "They are the files of " code { "dashboards/slos/" } ", and what a program declares beside them." },
        );
    }
    let one = |slo: &Slo, declared: Option<&Declared>| {
        let budget = seen.budgets.iter().find(|budget| budget.slo == slo.name);
        card(room, slo, declared, budget, burns.get(&slo.name).map_or(&[], Vec::as_slice))
    };
    html! {
        @for declared in &declared {
            @if let Err(why) = &declared.slo {
                div.callout.warn {
                    p { strong { "The objective " (declared.name) " is not in force." } " " (declared.by) " declared it, and it does not fit with the files any more." }
                    p.muted { (why) }
                }
            }
        }
        div.grid.objectives {
            @for slo in slos { (one(slo, None)) }
            @for declared in &declared {
                @if let Ok(slo) = &declared.slo { (one(slo, Some(&**declared))) }
            }
        }
    }
}

fn card(
    room: &Room,
    slo: &Slo,
    declared: Option<&Declared>,
    budget: Option<&Budget>,
    points: &[(f64, f64)],
) -> Markup {
    let (remaining, rate) =
        (budget.and_then(|budget| budget.remaining), budget.and_then(|budget| budget.burn));
    let (tone, word) = verdict(remaining, rate, burn::fast(room).factor);
    let period = room.config.clock.period(slo);
    let title = format!("Burn rate over the last {}", duration(burn::fast(room).long.secs()));
    let line = Line { title: &title, points, threshold: Some(1.0), show: times };
    html! {
        article.card.stack id=(slo.name) {
            header.toolbar { h3 { (slo.title) } (badge(tone, word)) }
            p.muted { (slo.promise) }
            dl.kv {
                dt { "Objective" }
                dd { (slo::window::percent(slo.objective)) " of events over " (humane(period.secs())) }
                dt { "Budget left" }
                dd {
                    @match remaining {
                        Some(left) => { (percent(left)) (meter(left, tone)) }
                        None => "not known",
                    }
                }
                dt { "Burn rate" }
                dd { (lasts(remaining, rate, period.secs())) }
                @if let Some(sla) = &slo.sla { dt { "Sold" } dd { (slo::window::percent(sla.target())) " of events" } }
                dt { "Service" } dd { (slo.service) ", kept by " (slo.owner) }
                @if let Some(declared) = declared { dt { "Declared" } dd { "by " (declared.by) ", through the API" } }
            }
            (chart(&format!("burn-{}", slo.name), &format!("/alerts/objectives/{}/burn.json", slo.name), &line))
            (footer(room, slo, declared))
        }
    }
}

/// Where to read on. What is declared has neither a board nor a runbook, but the objective of its indicator has.
fn footer(room: &Room, slo: &Slo, declared: Option<&Declared>) -> Markup {
    let of = match declared {
        None => Some(slo),
        Some(declared) => declared.fields.indicator.as_deref().and_then(|name| room.content.slo(name)),
    };
    html! {
        @if let Some(of) = of {
            footer.links {
                a href={ "/d/slo?var-slo=" (of.name) } { "Dashboard" }
                a href={ "/runbooks/" (of.alert()) } { "Runbook" }
            }
        }
    }
}

/// What a burn rate means, in time.
fn lasts(remaining: Option<f64>, rate: Option<f64>, period: f64) -> Markup {
    let Some(rate) = rate else { return html! { "not known" } };
    let rest = remaining.filter(|left| *left > 0.0 && rate > 1.0).map(|left| left * period / rate);
    html! {
        strong { (times(rate)) }
        @match rest {
            Some(seconds) => { ": at this rate the rest lasts " (duration(seconds)) }
            None => span.muted { " (1× spends exactly the budget)" },
        }
    }
}

fn times(rate: f64) -> String {
    if rate.is_finite() && rate < 9.95 { format!("{rate:.1}×") } else { format!("{rate:.0}×") }
}

/// How an objective is doing; `page` is the burn rate that wakes somebody.
pub(in crate::web) fn verdict(remaining: Option<f64>, rate: Option<f64>, page: f64) -> (Tone, &'static str) {
    match (remaining, rate) {
        (Some(left), _) if left <= 0.0 => (Tone::Bad, "budget spent"),
        (_, Some(rate)) if rate > page => (Tone::Bad, "burns fast"),
        (_, Some(rate)) if rate > 1.0 => (Tone::Warn, "burns"),
        (Some(left), _) if left < 0.25 => (Tone::Warn, "budget low"),
        (Some(_), _) => (Tone::Good, "kept"),
        (None, _) => (Tone::Quiet, "not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worse_is_said_first() {
        for (remaining, rate, word) in [
            (Some(-0.1), Some(0.0), "budget spent"),
            (Some(0.9), Some(20.0), "burns fast"),
            (Some(0.1), Some(2.0), "burns"),
            (Some(0.1), Some(0.5), "budget low"),
            (Some(0.9), None, "kept"),
            (None, None, "not known"),
        ] {
            assert_eq!(verdict(remaining, rate, 14.4).1, word);
        }
    }

    #[test]
    fn a_burn_rate_says_how_long_the_rest_lasts() {
        let shown = lasts(Some(0.5), Some(14.4), 43_200.0).into_string();
        assert!(shown.contains("14×") && shown.contains("lasts 25\u{a0}min"), "{shown}");
        assert!(lasts(Some(0.5), Some(0.2), 43_200.0).into_string().contains("0.2×"));
    }
}
