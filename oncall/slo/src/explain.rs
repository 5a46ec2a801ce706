//! Explains an alert in words, with the numbers of its objective.

use crate::{
    AlertKind, Clock, Severity, Slo, generate, theory,
    window::{humane, number, percent},
};

/// Explains the alerts of an objective on a clock.
#[must_use]
pub fn explain(slo: &Slo, clock: Clock) -> String {
    let period = clock.period(slo);
    let mut text = format!(
        "{}: {} is burning its error budget too fast.\n\n\
         promise    {}\n\
         objective  {} good over {period} ({clock} clock), {} of {}\n\
         budget     {} of the events may be bad; a burn rate of 1 spends exactly that in {period}\n\
         owner      {}\n\
         why        {}\n\n",
        slo.alert(),
        slo.name,
        slo.promise,
        percent(slo.objective),
        slo.sli.kind(),
        slo.service,
        percent(slo.budget()),
        slo.owner,
        slo.reason,
    );
    text.push_str("A burn rate is a multiple, not a share: 0.05 is a healthy service. The alert fires when both windows are above\n");
    text.push_str("the factor times the budget; the long one shows that it matters, the short one that it continues.\n\n");
    for pair in clock.pairs() {
        let threshold = theory::threshold(&pair, slo.budget());
        let ends = theory::exhaustion(period, pair.factor).unwrap_or_default();
        let what = match pair.severity {
            Severity::Page => "page: users feel it now, act now",
            Severity::Ticket => "ticket: the budget will not last, act this week",
        };
        text.push_str(&format!(
            "long_window={}  {what}\n  above {} bad over {} and over {}; {} x: a full budget is gone in {}; {} of it when it fires\n  fires and ends after: {}\n",
            pair.long,
            percent(threshold),
            pair.long,
            pair.short,
            number(pair.factor),
            humane(ends),
            percent(theory::budget_spent_at_fire(&pair, period)),
            times(slo, &pair),
        ));
    }
    text.push_str(&of_the_rest(slo, clock));
    text.push_str(&format!(
        "\nask Prometheus\n  slo:sli_error:ratio_rate{0}{{slo=\"{1}\"}}\n  slo:current_burn_rate:ratio{{slo=\"{1}\"}}\n  \
         slo:error_budget_remaining:ratio{{slo=\"{1}\"}}\n  {2}\nrunbook   runbooks/{3}.md\n",
        clock.pairs()[0].long,
        slo.name,
        slo.sli.selectors().first().map(ToString::to_string).unwrap_or_default(),
        slo.alert(),
    ));
    text
}

/// The alerts on what is left, and what was sold.
fn of_the_rest(slo: &Slo, clock: Clock) -> String {
    let mut text = format!(
        "{}  ticket: at the rate of the last {} the rest lasts less than {}\n\
         {}  ticket: the budget is spent; {} must be back before it ends\n",
        slo.alert_of(AlertKind::EndsSoon),
        clock.pairs()[1].long,
        clock.horizon(slo),
        slo.alert_of(AlertKind::Spent),
        percent(generate::BUDGET_BACK),
    );
    if let Some(sla) = &slo.sla {
        text.push_str(&format!("sold to customers (SLA), of the price of a period: {sla}\n"));
    }
    text
}

/// Detection and reset times at the usual error ratios.
pub(crate) fn times(slo: &Slo, pair: &crate::Pair) -> String {
    let at = |ratio: f64| {
        let (detect, reset) =
            theory::detection(pair, slo.budget(), ratio).zip(theory::reset(pair, slo.budget(), ratio))?;
        Some(format!("{} bad: {} / {}", percent(ratio), humane(detect), humane(reset)))
    };
    let known: Vec<_> = [1.0, 0.1, 0.02]
        .into_iter()
        .map(|ratio| at(ratio).unwrap_or_else(|| format!("{} bad: never", percent(ratio))))
        .collect();
    known.join(", ")
}
