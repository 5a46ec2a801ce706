//! Alerts on what is left of the budget. Both are tickets: nobody is woken at 3 am for a month that is spent, because nothing that
//! a tired person could do brings it back; who burns it now has been paged (docs/adr/0034-a-spent-budget-is-a-ticket.md).
//!
//! Neither flaps: once it fires, it ends only when clearly more is left than at its start. The rule reads its own state for that.

use super::{DASHBOARD, RUNBOOKS, Rule, ratio, recorded};
use crate::{
    AlertKind, Clock, Severity, Slo, Window,
    window::{number, percent},
};

/// Share of the budget that must be back before a spent one is no longer reported.
pub(super) const BACK: f64 = 0.05;
/// How much longer than the horizon the rest must last before it no longer ends soon.
const LONGER: f64 = 1.25;

/// The series of the rest.
const LEFT: &str = "slo:error_budget_remaining:ratio";

/// Both alerts; the second one is silent while the first one fires, so this is the order in which they are evaluated.
pub(super) fn alerts(slo: &Slo, clock: Clock) -> [Rule; 2] {
    [spent(slo, clock), ends_soon(slo, clock)]
}

/// Nothing is left.
pub(super) fn spent(slo: &Slo, clock: Clock) -> Rule {
    let left = recorded(LEFT, slo);
    let expr = format!(
        "(\n  {left} <= 0\n  or\n  {left} < {} and on (slo) {}\n)\nand\n{}",
        number(BACK),
        firing(slo, AlertKind::Spent),
        several(slo),
    );
    let summary = format!("{}: the error budget is spent", slo.title);
    let description = format!(
        "{{{{ $value | humanizePercentage }}}} of the error budget of {} is left: {} of the events of {} may be bad, and \
         more were. It is a ticket, not a page: docs/error-budget-policy.md says who decides what now. The alert ends when {} of the \
         budget is back.",
        slo.name,
        percent(slo.budget()),
        clock.period(slo),
        percent(BACK),
    );
    rule(slo, AlertKind::Spent, expr, summary, description)
}

/// The rest does not last until the horizon, neither at the rate of the last hours nor at that of the last minutes.
pub(super) fn ends_soon(slo: &Slo, clock: Clock) -> Rule {
    let (long, short) = windows(clock);
    let left = recorded(LEFT, slo);
    // The rest lasts `left * period / burn rate`, and the burn rate is the error ratio divided by the budget.
    let horizons = clock.period(slo).secs() / clock.horizon(slo).secs();
    let below = |factor: f64| {
        let allowed = format!("({} * {})", number(factor), number(slo.budget()));
        let one = |window| format!("{left} < {} / {allowed}", recorded(&ratio(window), slo));
        format!("{} and {}", one(long), one(short))
    };
    let expr = format!(
        "(\n  {}\n  or\n  {} and on (slo) {}\n)\nand\n{left} > 0\nand\n{}\nunless on (slo)\n{}",
        below(horizons),
        below(horizons / LONGER),
        firing(slo, AlertKind::EndsSoon),
        several(slo),
        firing(slo, AlertKind::Spent),
    );
    let horizon = clock.horizon(slo);
    let summary = format!("{}: the error budget ends within {horizon} at this rate", slo.title);
    let description = format!(
        "{{{{ $value | humanizePercentage }}}} of the error budget of {} is left. At the rate of the last {long}, and at that of the \
         last {short}, it lasts less than {horizon}.",
        slo.name,
    );
    rule(slo, AlertKind::EndsSoon, expr, summary, description)
}

/// The windows of the current rate: those of the slower page, long enough for a forecast and short enough to end with the burn.
pub(super) fn windows(clock: Clock) -> (Window, Window) {
    let pair = clock.pairs()[1];
    (pair.long, pair.short)
}

/// How long the rest must last before the alert ends.
pub(super) fn lasts_again(slo: &Slo, clock: Clock) -> f64 {
    clock.horizon(slo).secs() * LONGER
}

/// The state of one of the alerts, at the evaluation before.
fn firing(slo: &Slo, kind: AlertKind) -> String {
    format!("ALERTS{{alertname=\"{}\", alertstate=\"firing\", slo=\"{}\"}}", slo.alert_of(kind), slo.name)
}

/// As in the burn alerts: with little traffic one error may be the whole budget, and is still no incident.
fn several(slo: &Slo) -> String {
    format!("{} > {}", recorded("slo:period_bad:count", slo), f64::from(slo.minimum_errors) - 0.5)
}

fn rule(slo: &Slo, kind: AlertKind, expr: String, summary: String, description: String) -> Rule {
    let alert = slo.alert_of(kind);
    Rule {
        kind: "alert",
        expr,
        labels: vec![
            ("severity", Severity::Ticket.to_string()),
            ("slo", slo.name.clone()),
            ("service", slo.service.clone()),
        ],
        annotations: vec![
            ("summary", summary),
            ("description", description),
            ("runbook_url", format!("{RUNBOOKS}/{alert}")),
            ("dashboard_url", format!("{DASHBOARD}{}", slo.name)),
        ],
        name: alert,
        comment: None,
    }
}
