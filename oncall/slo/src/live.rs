//! An objective that has no rules: what [`crate::generate`] lets Prometheus record for the others, counted by query
//! when somebody asks, with the same windows, factors and texts.
//!
//! A query counts events, all of them and the good or the bad ones; what follows from the counts is computed here. So every
//! range is read once, and an answer without a series means what it means in the rules: no bad event, or no good one.

use std::collections::BTreeMap;

use crate::{
    AlertKind, Clock, Pair, Severity, Sli, Slo, Window,
    generate::{self, DASHBOARD, RUNBOOKS, bad, recorded, total},
    report::{Firing, Line, Status},
    selector::Selector,
    theory,
    window::percent,
};

/// The label that tells the counts of an answer apart.
pub const LABEL: &str = "count";

/// All events over a window.
const ALL: &str = "all";
/// The good ones of them, or the bad ones: what the indicator names.
const PART: &str = "part";
/// The share of the period in which Prometheus has evaluated its rules.
const KNOWN: &str = "known";
/// The value of an alert, in the templates of its texts.
const VALUE: &str = "{{ $value | humanizePercentage }}";

/// How an objective without rules is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Live<'s> {
    slo: &'s Slo,
    indicator: Option<&'s Slo>,
    clock: Clock,
}

/// Events over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Events {
    /// All of them.
    pub all: f64,
    /// The bad ones.
    pub bad: f64,
}

/// What has been counted so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Events by window. A window in which nothing is known has none.
    pub over: BTreeMap<Window, Events>,
    /// The share of the period that has been seen, 0 to 1. What has not been seen counts as good.
    pub known: Option<f64>,
}

/// Labels and annotations of an alert that fires, as Prometheus would send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// With `alertname`.
    pub labels: BTreeMap<String, String>,
    /// Summary and description; links, if the indicator has a runbook and a dashboard.
    pub annotations: BTreeMap<String, String>,
}

impl Events {
    /// Bad events of all, 0 to 1; 0 without traffic.
    #[must_use]
    pub fn ratio(self) -> f64 {
        if self.all > 0.0 { (self.bad / self.all).clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl<'s> Live<'s> {
    /// An objective whose own selectors are counted; or, with `indicator`, one of another objective's events, whose rules record
    /// them.
    #[must_use]
    pub const fn of(slo: &'s Slo, indicator: Option<&'s Slo>, clock: Clock) -> Self {
        Self { slo, indicator, clock }
    }

    /// The time over which the budget is counted.
    #[must_use]
    pub fn period(&self) -> Window {
        self.clock.period(self.slo)
    }

    /// PromQL for the events over these windows; with the period among them, also for how much of it has been seen. Its samples
    /// have no label but [`LABEL`].
    #[must_use]
    pub fn query(&self, windows: &[Window]) -> String {
        let named =
            |name: &str, expr: &str| format!("label_replace({expr}, \"{LABEL}\", \"{name}\", \"\", \"\")");
        let mut parts = Vec::new();
        for window in windows {
            let [all, part] = self.counts(*window);
            parts.push(named(&format!("{ALL} {window}"), &all));
            parts.push(named(&format!("{PART} {window}"), &part));
        }
        if windows.contains(&self.period()) {
            parts.push(named(KNOWN, &self.known()));
        }
        parts.join("\nor\n")
    }

    /// Takes the answer to [`Live::query`] about the same windows: values of [`LABEL`], with what was counted.
    pub fn read<'a>(
        &self,
        windows: &[Window],
        answer: impl IntoIterator<Item = (&'a str, f64)>,
        measured: &mut Measured,
    ) {
        let found: BTreeMap<&str, f64> = answer.into_iter().filter(|(_, value)| value.is_finite()).collect();
        for window in windows {
            measured.over.remove(window);
            let count = |what: &str| found.get(format!("{what} {window}").as_str()).copied();
            let Some(all) = count(ALL) else { continue };
            let part = count(PART).unwrap_or(0.0);
            let bad = if self.names_good_events() { (all - part).max(0.0) } else { part };
            measured.over.insert(*window, Events { all, bad });
        }
        if windows.contains(&self.period()) {
            measured.known = found.get(KNOWN).copied();
        }
    }

    /// The share of the budget that is left; below 0 if more was spent. None if it is not known.
    #[must_use]
    pub fn remaining(&self, measured: &Measured) -> Option<f64> {
        let over = measured.over.get(&self.period())?;
        Some(1.0 - over.ratio() * measured.known? / self.slo.budget())
    }

    /// How many times faster than allowed the budget is spent over a window. None if nothing is known of it.
    #[must_use]
    pub fn burn(&self, measured: &Measured, window: Window) -> Option<f64> {
        Some(measured.over.get(&window)?.ratio() / self.slo.budget())
    }

    /// The same over the long window of the fastest page: the current rate.
    #[must_use]
    pub fn current(&self, measured: &Measured) -> Option<f64> {
        self.burn(measured, self.clock.pairs()[0].long)
    }

    /// The pairs of windows whose alert fires, most urgent first, each with the share of bad events over its long window.
    #[must_use]
    pub fn firing(&self, measured: &Measured) -> Vec<(Pair, f64)> {
        let least = f64::from(self.slo.minimum_errors) - 0.5;
        let fires = |pair: &Pair| {
            let (long, short) = (measured.over.get(&pair.long)?, measured.over.get(&pair.short)?);
            let threshold = theory::threshold(pair, self.slo.budget());
            let above = long.ratio() > threshold && short.ratio() > threshold && long.bad > least;
            above.then(|| long.ratio())
        };
        self.clock.pairs().into_iter().filter_map(|pair| Some((pair, fires(&pair)?))).collect()
    }

    /// The alert of a pair that fires at this share of bad events.
    #[must_use]
    pub fn alert(&self, pair: &Pair, ratio: f64) -> Told {
        let (labels, (summary, description)) = generate::burning(self.slo, self.clock, pair);
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        let value = percent((ratio * 10_000.0).round() / 10_000.0);
        let texts = [("summary", summary), ("description", description)];
        let texts = texts.map(|(name, text)| (name, text.replace(VALUE, &value)));
        // An objective that was declared has neither of its own.
        let links = self.indicator.map(|indicator| {
            [
                ("runbook_url", format!("{RUNBOOKS}/{}", indicator.alert())),
                ("dashboard_url", format!("{DASHBOARD}{}", indicator.name)),
            ]
        });
        let name = ("alertname", self.slo.alert());
        Told {
            labels: labels.into_iter().chain([name]).map(owned).collect(),
            annotations: texts.into_iter().chain(links.into_iter().flatten()).map(owned).collect(),
        }
    }

    /// The objective in a report.
    #[must_use]
    pub fn line(&self, measured: &Measured) -> Line {
        let (slo, period) = (self.slo, self.period());
        let remaining = self.remaining(measured);
        let burn = |window: Window| Some((window, self.burn(measured, window)?));
        let firing = self.firing(measured).into_iter().map(|(pair, _)| Firing {
            alert: AlertKind::Burn,
            severity: pair.severity,
            long_window: pair.long.to_string(),
        });
        let firing: Vec<Firing> = firing.collect();
        let lasts = |(left, burn): (f64, f64)| {
            (left.max(0.0) * period.secs() / burn.max(f64::MIN_POSITIVE)).min(period.secs())
        };
        Line {
            slo: slo.name.clone(),
            service: slo.service.clone(),
            owner: slo.owner.clone(),
            objective: slo.objective,
            period,
            status: Status::of(remaining, &firing),
            sli: measured.over.get(&period).map(|over| 1.0 - over.ratio()),
            budget_remaining: remaining,
            burn_rates: self.clock.windows().into_iter().filter_map(burn).collect(),
            time_to_exhaustion_seconds: remaining.zip(self.current(measured)).map(lasts),
            sla: None,
            firing,
        }
    }

    /// All events over a window, and the good or the bad ones.
    fn counts(&self, window: Window) -> [String; 2] {
        if let Some(indicator) = self.indicator {
            return [total as fn(Window) -> String, bad].map(|name| self.recorded(name, indicator, window));
        }
        let count = |selector: &Selector| format!("sum(increase({selector}[{window}]))");
        match &self.slo.sli {
            Sli::Bad { bad: part, total } | Sli::Good { good: part, total } => [count(total), count(part)],
            Sli::Latency { histogram, threshold } => {
                [count(&histogram.suffixed("_count")), count(&histogram.bucket(*threshold))]
            }
            // Only rules judge windows; without them, each event is one.
            Sli::Throughput(flow) => [count(&flow.offered), count(&flow.done)],
        }
    }

    const fn names_good_events(&self) -> bool {
        self.indicator.is_none() && !matches!(self.slo.sli, Sli::Bad { .. })
    }

    /// As the rules do: windows of pages from what is recorded of them, longer ones from the shortest.
    fn recorded(&self, name: fn(Window) -> String, of: &Slo, window: Window) -> String {
        let is = |pair: &Pair| pair.severity == Severity::Page && [pair.long, pair.short].contains(&window);
        if self.clock.pairs().iter().any(is) {
            return format!("sum({}) * {}", recorded(&name(window), of), window.as_secs());
        }
        let (base, each) = (self.clock.base(), self.clock.evaluation().as_secs());
        format!("sum(sum_over_time({}[{window}])) * {each}", recorded(&name(base), of))
    }

    /// By how often a constant was recorded: while Prometheus was away, nothing was.
    fn known(&self) -> String {
        let (period, each) = (self.period(), self.clock.evaluation().as_secs());
        let times = format!("max(count_over_time(slo:objective:ratio[{period}]))");
        format!("clamp_max({times} * {each} / {}, 1)", period.as_secs())
    }
}
