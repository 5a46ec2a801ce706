//! Recording rules: events and bad events per second over each window, their ratio, and the state of the budget.
//!
//! The windows of pages are computed from the services' own series. The windows of tickets and the period are
//! averages of what the shortest window recorded: reading a range of hours of several dozen series every few
//! seconds would cost more than everything else that Prometheus does in the lab. An average of rates over equal
//! times is the rate over the whole time, so the ratio of two such averages is weighted by traffic; a mean of
//! ratios would not be.

use super::{Rule, bad, ratio, recorded, total};
use crate::{Clock, Period, Severity, Sli, Slo, Window, model::Calendar, selector::Selector, window::number};

/// Windows of pages, and rules that need no window.
pub(super) fn fast(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let mut rules = vec![
        plain(slo, "slo:objective:ratio", format!("vector({})", number(slo.objective))),
        plain(slo, "slo:error_budget:ratio", format!("vector({})", number(slo.budget()))),
        info(slo, clock),
    ];
    for window in windows(clock, Severity::Page) {
        rules.push(plain(slo, &total(window), total_rate(&slo.sli, window)));
        rules.push(plain(slo, &bad(window), bad_rate(slo, window)));
        rules.push(ratio_of(slo, &ratio(window), &total(window), &bad(window)));
    }
    rules
}

/// Windows of tickets, the period, and the budget.
pub(super) fn slow(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let base = clock.base();
    let mut rules = Vec::new();
    for window in windows(clock, Severity::Ticket) {
        for name in [total as fn(Window) -> String, bad] {
            let expr = format!("avg_over_time({}[{window}])", recorded(&name(base), slo));
            rules.push(plain(slo, &name(window), expr));
        }
        rules.push(ratio_of(slo, &ratio(window), &total(window), &bad(window)));
    }
    rules.extend(period(slo, clock));
    rules.extend(budget(slo, clock));
    rules
}

/// The windows of one severity, shortest first.
fn windows(clock: Clock, severity: Severity) -> Vec<Window> {
    let pairs = clock.pairs().into_iter().filter(|pair| pair.severity == severity);
    let mut windows: Vec<_> = pairs.flat_map(|pair| [pair.short, pair.long]).collect();
    windows.sort_unstable();
    // The 6 h window is the long one of a page and the short one of a ticket: the pages record it.
    if severity == Severity::Ticket {
        let fast = self::windows(clock, Severity::Page);
        windows.retain(|window| !fast.contains(window));
    }
    windows
}

fn plain(slo: &Slo, name: &str, expr: String) -> Rule {
    Rule {
        kind: "record",
        name: name.to_owned(),
        expr,
        labels: vec![("slo", slo.name.clone()), ("service", slo.service.clone())],
        annotations: Vec::new(),
        comment: None,
    }
}

fn info(slo: &Slo, clock: Clock) -> Rule {
    let mut rule = plain(slo, "slo_info", "vector(1)".to_owned());
    rule.labels.push(("owner", slo.owner.clone()));
    rule.labels.push(("clock", clock.to_string()));
    rule
}

fn rate(selector: &Selector, window: Window) -> String {
    format!("sum(rate({selector}[{window}]))")
}

fn total_rate(sli: &Sli, window: Window) -> String {
    match sli {
        Sli::Bad { total, .. } | Sli::Good { total, .. } => rate(total, window),
        Sli::Latency { histogram, .. } => rate(&histogram.suffixed("_count"), window),
    }
}

/// Bad events per second. If no series of bad (or good) events exists yet, there have been none; the total decides
/// whether anything is known at all.
fn bad_rate(slo: &Slo, window: Window) -> String {
    let none = format!("0 * {}", recorded_plain(&total(window), slo));
    let good = match &slo.sli {
        Sli::Bad { bad, .. } => return format!("{}\nor\n{none}", rate(bad, window)),
        Sli::Good { good, .. } => good.clone(),
        Sli::Latency { histogram, threshold } => histogram.bucket(*threshold),
    };
    let good = rate(&good, window);
    format!("clamp_min({} - ({good} or {none}), 0)", recorded_plain(&total(window), slo))
}

/// A recorded series without labels, to be combined with a sum.
fn recorded_plain(name: &str, slo: &Slo) -> String {
    format!("sum({})", recorded(name, slo))
}

/// Bad events of all; 0 without traffic: no user was failed, no budget is spent, and no NaN breaks a comparison or
/// a panel.
fn ratio_of(slo: &Slo, name: &str, total: &str, bad: &str) -> Rule {
    let (total, bad) = (recorded(total, slo), recorded(bad, slo));
    plain(slo, name, format!("{bad} / ({total} > 0)\nor\n0 * {total}"))
}

/// Error ratio over the period so far, weighted by traffic.
fn period(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let base = clock.base();
    let (all, failed) = (recorded(&total(base), slo), recorded(&bad(base), slo));
    match (slo.period, clock) {
        // A calendar cannot run 60 times as fast: the lab counts over the same length, rolling.
        (Period::Rolling(_), _) | (_, Clock::Lab) => {
            let window = clock.period(slo);
            let over = |series: &str| format!("sum_over_time({series}[{window}])");
            vec![over_period(slo, &over(&all), &over(&failed), &all)]
        }
        (Period::Calendar(calendar), Clock::Production) => {
            let start = "slo:period_start:timestamp_seconds";
            let mut begins = plain(slo, start, begin(calendar).to_owned());
            begins.comment = Some("When the current calendar period began, in UTC.".to_owned());
            let own = recorded(start, slo);
            // A sample belongs to this period if the start of its period is that of the current one.
            let longest = slo.period.nominal();
            let over = |series: &str| {
                format!(
                    "sum_over_time(({series} and on (slo) ({own} == on (slo) ({own} @ end())))[{longest}:{base}])"
                )
            };
            vec![begins, over_period(slo, &over(&all), &over(&failed), &all)]
        }
    }
}

fn over_period(slo: &Slo, total: &str, bad: &str, now: &str) -> Rule {
    plain(slo, "slo:period_error:ratio", format!("{bad}\n/\n({total} > 0)\nor\n0 * {now}"))
}

/// The start of the current period, as PromQL.
const fn begin(calendar: Calendar) -> &'static str {
    match calendar {
        Calendar::Day => "vector(time() - time() % 86400)",
        // 1970-01-01 was a Thursday, three days after a Monday.
        Calendar::Week => "vector(time() - (time() + 259200) % 604800)",
        Calendar::Month => "vector(time() - time() % 86400) - (day_of_month() - 1) * 86400",
        Calendar::Year => "vector(time() - time() % 86400) - (day_of_year() - 1) * 86400",
    }
}

fn budget(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let allowed = number(slo.budget());
    let period = clock.period(slo).as_secs();
    let current = recorded(&ratio(clock.pairs()[0].long), slo);
    let (burn, left) = ("slo:current_burn_rate:ratio", "slo:error_budget_remaining:ratio");
    let mut remaining =
        plain(slo, left, format!("1 - {} / {allowed}", recorded("slo:period_error:ratio", slo)));
    remaining.comment = Some("Below 0 if more was spent than there was.".to_owned());
    let mut exhaustion = plain(
        slo,
        "slo:time_to_exhaustion:seconds",
        format!(
            "clamp_max(clamp_min({}, 0) * {period} / clamp_min({}, 1e-9), {period})",
            recorded(left, slo),
            recorded(burn, slo)
        ),
    );
    exhaustion.comment = Some(
        "At the current burn rate. At most the period: a budget that lasts longer never ends.".to_owned(),
    );
    vec![plain(slo, burn, format!("{current} / {allowed}")), remaining, exhaustion]
}
