//! Recording rules: events and bad events per second over each window, their ratio, and the state of the budget.
//!
//! The windows of pages are computed from the services' own series. The windows of tickets and the period are
//! averages of what the shortest window recorded: reading a range of hours of several dozen series every few
//! seconds would cost more than everything else that Prometheus does in the lab. An average of rates over equal
//! times is the rate over the whole time, so the ratio of two such averages is weighted by traffic; a mean of
//! ratios would not be. A throughput is judged in the shortest window alone: all others are averages of that.

use super::{Rule, bad, ratio, recorded, total};
use crate::{
    Clock, Flow, Period, Severity, Sli, Slo, Window, model::Calendar, selector::Selector, window::number,
};

/// Windows of pages, the current burn rate, and rules that need no window.
pub(super) fn fast(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let mut rules = vec![
        plain(slo, "slo:objective:ratio", format!("vector({})", number(slo.objective))),
        plain(slo, "slo:error_budget:ratio", format!("vector({})", number(slo.budget()))),
        info(slo, clock),
    ];
    for window in windows(clock, Severity::Page) {
        rules.extend(counted(slo, clock, window));
        rules.push(ratio_of(slo, &ratio(window), &total(window), &bad(window)));
    }
    // As often as the pages: what a page starts asks at once whether the budget still burns.
    let current = recorded(&ratio(clock.pairs()[0].long), slo);
    rules.push(plain(slo, BURN, format!("{current} / {}", number(slo.budget()))));
    rules
}

/// The burn rate over the long window of the fastest page.
const BURN: &str = "slo:current_burn_rate:ratio";

/// Windows of tickets, the period, and what is left of the budget.
pub(super) fn slow(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let mut rules = Vec::new();
    for window in windows(clock, Severity::Ticket) {
        rules.extend(averages(slo, clock, window));
        rules.push(ratio_of(slo, &ratio(window), &total(window), &bad(window)));
    }
    rules.extend(period(slo, clock));
    rules.extend(known(slo, clock));
    rules.extend(budget(slo, clock));
    rules
}

/// Events and bad events per second over a window, from what the shortest one recorded.
fn averages(slo: &Slo, clock: Clock, window: Window) -> [Rule; 2] {
    [total as fn(Window) -> String, bad].map(|name| {
        let expr = format!("avg_over_time({}[{window}])", recorded(&name(clock.base()), slo));
        plain(slo, &name(window), expr)
    })
}

/// One event per evaluation: a window in which enough was offered; bad if not enough was done in it.
fn judged(slo: &Slo, clock: Clock, flow: &Flow) -> [Rule; 2] {
    let (base, each) = (clock.base(), clock.evaluation().as_secs());
    let offered = format!("({} >= bool {}) / {each}", rate(&flow.offered, base), number(flow.from));
    let counted = recorded_now(&total(base), slo);
    let done = format!("({} or 0 * {counted})", rate(&flow.done, base));
    [
        plain(slo, &total(base), offered),
        plain(slo, &bad(base), format!("{counted} * ({done} < bool {})", number(flow.floor))),
    ]
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

/// Events and bad events per second over a window, from the services' own series. If no series of bad (or good) events exists
/// yet, there have been none; the total decides whether anything is known at all.
fn counted(slo: &Slo, clock: Clock, window: Window) -> [Rule; 2] {
    let names = [total(window), bad(window)];
    let all = recorded_now(&names[0], slo);
    let none = format!("0 * {all}");
    let all_but = |good: &Selector| format!("clamp_min({all} - ({} or {none}), 0)", rate(good, window));
    let (events, errors) = match &slo.sli {
        Sli::Bad { bad, total } => (total.clone(), format!("{}\nor\n{none}", rate(bad, window))),
        Sli::Good { good, total } => (total.clone(), all_but(good)),
        Sli::Latency { histogram, threshold } => {
            (histogram.suffixed("_count"), all_but(&histogram.bucket(*threshold)))
        }
        Sli::Throughput(flow) if window == clock.base() => return judged(slo, clock, flow),
        Sli::Throughput(_) => return averages(slo, clock, window),
    };
    [plain(slo, &names[0], rate(&events, window)), plain(slo, &names[1], errors)]
}

/// A recorded series without labels, to be combined with a sum.
fn recorded_plain(name: &str, slo: &Slo) -> String {
    format!("sum({})", recorded(name, slo))
}

/// As [`recorded_plain`], but only what the same evaluation has recorded: its time is the end of the range. Without a range, a total
/// of before would be visible for five minutes: after Prometheus was away for longer than a window, there would be a total and no
/// good events yet, and all would be bad.
fn recorded_now(name: &str, slo: &Slo) -> String {
    format!("sum({})", now(name, slo))
}

/// The sample of a recorded series that the same evaluation has recorded, with its labels. The evaluator has to find at once what
/// it has just recorded.
fn now(name: &str, slo: &Slo) -> String {
    format!("last_over_time({}[1ms])", recorded(name, slo))
}

/// Bad events of all; 0 without traffic: no user was failed, no budget is spent, and no NaN breaks a comparison or
/// a panel. None, as long as this evaluation has recorded no total: an old ratio is not recorded again.
fn ratio_of(slo: &Slo, name: &str, total: &str, bad: &str) -> Rule {
    let (total, bad) = (now(total, slo), now(bad, slo));
    plain(slo, name, format!("{bad} / ({total} > 0)\nor\n0 * {total}"))
}

/// The recorded start of the current calendar period.
const BEGAN: &str = "slo:period_start:timestamp_seconds";

/// Events and bad events of the period so far, and their ratio: weighted by traffic.
fn period(slo: &Slo, clock: Clock) -> Vec<Rule> {
    let base = clock.base();
    let mut rules = Vec::new();
    let (all, failed) = (recorded(&total(base), slo), recorded(&bad(base), slo));
    // What a series is put between, and how much time each of its samples stands for.
    let (before, after, each) = match calendar(slo, clock) {
        None => ("sum_over_time(".to_owned(), format!("[{}])", clock.period(slo)), clock.evaluation()),
        Some(calendar) => {
            let mut begins = plain(slo, BEGAN, begin(calendar).to_owned());
            begins.comment = Some("When the current calendar period began, in UTC.".to_owned());
            rules.push(begins);
            let (own, longest) = (recorded(BEGAN, slo), slo.period.nominal());
            // A sample belongs to this period if the start of its period is that of the current one.
            let current = format!(" and on (slo) ({own} == on (slo) ({own} @ end())))[{longest}:{base}])");
            ("sum_over_time((".to_owned(), current, base)
        }
    };
    let [events, errors] = ["slo:period_total:count", "slo:period_bad:count"];
    for (name, series) in [(events, &all), (errors, &failed)] {
        rules.push(plain(slo, name, format!("{before}{series}{after} * {}", each.as_secs())));
    }
    rules.push(ratio_of(slo, "slo:period_error:ratio", events, errors));
    rules
}

/// The calendar that counts. It cannot run 60 times as fast: the lab counts over the same length, rolling.
const fn calendar(slo: &Slo, clock: Clock) -> Option<Calendar> {
    match (slo.period, clock) {
        (Period::Calendar(calendar), Clock::Production) => Some(calendar),
        (Period::Rolling(_), _) | (_, Clock::Lab) => None,
    }
}

/// How much of the period has been seen: from the first sample, or the start of the calendar period, until now. The recorded start
/// reads itself, so that it survives gaps and is forgotten after a period.
fn known(slo: &Slo, clock: Clock) -> [Rule; 2] {
    let (since, period) = ("slo:recorded_since:timestamp_seconds", clock.period(slo));
    let own = recorded(since, slo);
    let first = format!("0 * {} + time()", recorded_plain(&total(clock.base()), slo));
    let mut start = plain(slo, since, format!("min(min_over_time({own}[{period}]))\nor\n{first}"));
    start.comment = Some("The first sample within the last period.".to_owned());
    let from = match calendar(slo, clock) {
        None => own,
        Some(_) => format!("({} > {own} or {own})", recorded(BEGAN, slo)),
    };
    let share = format!("clamp_max((time() - {from}) / {}, 1)", period.as_secs());
    [start, plain(slo, KNOWN, share)]
}

/// Share of the period that has been seen.
const KNOWN: &str = "slo:period_known:ratio";

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
    let left = "slo:error_budget_remaining:ratio";
    let spent = format!("{} * {}", recorded("slo:period_error:ratio", slo), recorded(KNOWN, slo));
    let mut remaining = plain(slo, left, format!("1 - {spent} / {allowed}"));
    remaining.comment = Some(
        "Of the budget of the whole period, as if the part that has not been seen were good. Below 0 if more was spent."
            .to_owned(),
    );
    let mut exhaustion = plain(
        slo,
        "slo:time_to_exhaustion:seconds",
        format!(
            "clamp_max(clamp_min({}, 0) * {period} / clamp_min({}, 1e-9), {period})",
            recorded(left, slo),
            recorded(BURN, slo)
        ),
    );
    exhaustion.comment = Some(
        "At the current burn rate. At most the period: a budget that lasts longer never ends.".to_owned(),
    );
    vec![remaining, exhaustion]
}
