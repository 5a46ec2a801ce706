//! What the judge says, signal by signal, with its numbers.

use maud::{Markup, html};
use release::{
    Opinion, Verdict,
    judge::{Signal, Unit},
};

use crate::{
    releases::view::word,
    web::parts::{Tone, badge, or_dash, percent, seconds},
};

/// What p is.
const CHANCE: &str = "The chance of such evidence, or stronger, at any time, if the canary is no worse";

/// A verdict as a badge.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    let tone = match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::Inconclusive => Tone::Info,
    };
    badge(tone, word(verdict))
}

/// All signals of an opinion; `label` says of when, for screen readers.
pub(super) fn table(opinion: &Opinion, label: &str) -> Markup {
    html! {
        p { (verdict(opinion.verdict)) " " (opinion.why) }
        p.muted { (opinion.requests) " requests to each of the two at least; " (opinion.needed) " are needed to pass." }
        @if !opinion.signals.is_empty() {
            div.scroll tabindex="0" role="region" aria-label=(label) {
                table.table {
                    thead {
                        tr {
                            th scope="col" { "Signal" } th scope="col" { "Verdict" }
                            th.num scope="col" { "Canary" } th.num scope="col" { "Baseline" }
                            th.num scope="col" title=(CHANCE) { "p" }
                            th.num scope="col" { "Fails at" } th scope="col" { "Why" }
                        }
                    }
                    tbody { @for signal in &opinion.signals { (row(signal)) } }
                }
            }
        }
    }
}

fn row(signal: &Signal) -> Markup {
    let show = |value: Option<f64>| {
        or_dash(value, |value| match signal.unit {
            Unit::Share => percent(value),
            Unit::Seconds => seconds(value),
            Unit::Level => level(value),
        })
    };
    let chance = |value: Option<f64>| or_dash(value, |value| format!("{value:.4}"));
    html! {
        tr {
            th scope="row" { (signal.name) }
            td { (verdict(signal.verdict)) }
            td.num { (show(signal.canary)) }
            td.num { (show(signal.baseline)) }
            td.num { (chance(signal.p)) }
            td.num { (chance(signal.alpha)) }
            td.muted { (signal.why) }
        }
    }
}

/// A number of any unit, with three digits that matter.
fn level(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000_000.0 => format!("{:.1} M", value / 1_000_000.0),
        small if small > 0.0 && small < 0.1 => format!("{value:.2e}"),
        _ => format!("{value:.2}"),
    }
}
