//! Alerts: one per pair of windows, all with the name of the objective, distinguished by `long_window`.

use super::{DASHBOARD, RUNBOOKS, Rule, bad, ratio, recorded};
use crate::{
    Clock, Pair, Severity, Slo, theory,
    window::{humane, number, percent},
};

/// The alerts that wake the person on call.
pub(super) fn pages(slo: &Slo, clock: Clock) -> Vec<Rule> {
    of(slo, clock, Severity::Page)
}

/// The alerts that wait for working hours.
pub(super) fn tickets(slo: &Slo, clock: Clock) -> Vec<Rule> {
    of(slo, clock, Severity::Ticket)
}

fn of(slo: &Slo, clock: Clock, severity: Severity) -> Vec<Rule> {
    let pairs = clock.pairs().into_iter().filter(|pair| pair.severity == severity);
    pairs.map(|pair| alert(slo, clock, &pair)).collect()
}

fn alert(slo: &Slo, clock: Clock, pair: &Pair) -> Rule {
    let alert = slo.alert();
    let (summary, description) = words(slo, clock, pair);
    Rule {
        kind: "alert",
        name: alert.clone(),
        expr: expr(slo, clock, pair),
        labels: labels(slo, pair),
        annotations: vec![
            ("summary", summary),
            ("description", description),
            ("runbook_url", format!("{RUNBOOKS}/{alert}")),
            ("dashboard_url", format!("{DASHBOARD}{}", slo.name)),
        ],
        comment: None,
    }
}

/// Labels of an alert, without its name.
pub(super) fn labels(slo: &Slo, pair: &Pair) -> Vec<(&'static str, String)> {
    vec![
        ("severity", pair.severity.to_string()),
        ("slo", slo.name.clone()),
        ("service", slo.service.clone()),
        ("long_window", pair.long.to_string()),
        ("short_window", pair.short.to_string()),
    ]
}

/// Both windows above the factor times the budget, and more than a single error. No `for`: the windows are the delay.
fn expr(slo: &Slo, clock: Clock, pair: &Pair) -> String {
    let threshold = format!("{} * {}", number(pair.factor), number(slo.budget()));
    let above = |window| format!("{} > ({threshold})", recorded(&ratio(window), slo));
    format!("{}\nand\n{}\nand\n{}", above(pair.long), above(pair.short), errors(slo, clock, pair))
}

/// The long window has more bad events than a single one could seem to be: extrapolation turns one into up to 1.25,
/// and two into at least 1.6.
fn errors(slo: &Slo, clock: Clock, pair: &Pair) -> String {
    let least = f64::from(slo.minimum_errors) - 0.5;
    match pair.severity {
        Severity::Page => format!("{} * {} > {least}", recorded(&bad(pair.long), slo), pair.long.as_secs()),
        // An average over a window that is not full yet does not tell how many events there were; a sum does.
        Severity::Ticket => format!(
            "sum_over_time({}[{}]) * {} > {least}",
            recorded(&bad(clock.base()), slo),
            pair.long,
            clock.evaluation().as_secs()
        ),
    }
}

/// Summary and description, as Prometheus templates. `$value` is the error ratio over the long window.
pub(super) fn words(slo: &Slo, clock: Clock, pair: &Pair) -> (String, String) {
    let period = clock.period(slo);
    let threshold = theory::threshold(pair, slo.budget());
    let ends = theory::exhaustion(period, pair.factor).unwrap_or_default();
    (
        format!("{}: {{{{ $value | humanizePercentage }}}} bad over {}", slo.title, pair.long),
        format!(
            "{{{{ $value | humanizePercentage }}}} of the events of {} were bad over {}, and it continues: above {} ({} times \
             the {} that the objective allows) over {} too. At {} times, a full budget of {period} is gone in {}.",
            slo.name,
            pair.long,
            percent(threshold),
            number(pair.factor),
            percent(slo.budget()),
            pair.short,
            number(pair.factor),
            humane(ends),
        ),
    )
}
