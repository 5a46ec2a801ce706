//! promtool tests: every alert is silent when it should be, fires when theory says and not before, and ends when it says.

use super::{alerts, group_names, scalar, scenarios::Course};
use crate::{Clock, Pair, Severity, Slo, Window, generate::File, theory};

/// Error ratios of the outages.
const RATIOS: [f64; 3] = [1.0, 0.1, 0.02];

/// One promtool test: what happens, and what must hold when.
struct Test {
    name: String,
    input: Vec<String>,
    /// Step, expression, and the value of its one sample without labels.
    holds: Vec<(usize, String, f64)>,
    /// Step, objective: all its alerts fire with these annotations.
    all_fire: Vec<(usize, Slo)>,
    /// Step, objective: none of its alerts fires.
    none_fires: Vec<(usize, Slo)>,
    /// Nothing fires at all.
    silent: Vec<usize>,
}

/// The test files of a clock.
pub(super) fn files(slos: &[Slo], clock: Clock) -> Vec<File> {
    let mut outages: Vec<_> = RATIOS.into_iter().map(|ratio| outage(slos, clock, ratio)).collect();
    outages.push(never_worked(slos));
    [
        ("outages", outages),
        ("tickets", vec![slow_burn(slos, clock, SHORT_HISTORY)]),
        ("traps", traps(slos, clock)),
    ]
    .into_iter()
    .map(|(name, tests)| File {
        path: format!("dashboards/tests/slo-{clock}-{name}.test.yml"),
        text: yaml(slos, clock, &tests),
    })
    .collect()
}

/// The test of tickets with windows that are full: 5,700 evaluations of every rule, so only for a few objectives.
pub(super) fn full_tickets(slos: &[Slo], clock: Clock) -> File {
    File {
        path: format!("dashboards/tests/slo-{clock}-full-tickets.test.yml"),
        text: yaml(slos, clock, &[slow_burn(slos, clock, steps(clock, clock.pairs()[3].long.secs()) + 5)]),
    }
}

fn yaml(slos: &[Slo], clock: Clock, tests: &[Test]) -> String {
    let step = step(clock);
    let mut text = format!(
        "# Written by `lab slo generate` from dashboards/slos; do not edit.\n\
         rule_files: [../rules/{clock}/slo.yml]\nevaluation_interval: {step}\ngroup_eval_order:\n"
    );
    for name in group_names(slos) {
        text.push_str(&format!("  - {name}\n"));
    }
    text.push_str("tests:\n");
    for test in tests {
        text.push_str(&test.yaml(clock));
    }
    text
}

impl Test {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            input: Vec::new(),
            holds: Vec::new(),
            all_fire: Vec::new(),
            none_fires: Vec::new(),
            silent: Vec::new(),
        }
    }

    /// One more objective goes through `course`. The lints have refused what cannot be made up.
    fn input(&mut self, slo: &Slo, course: &Course) {
        self.input.extend(course.input(slo).unwrap_or_default());
    }

    fn hold(&mut self, step: usize, expr: impl Into<String>, value: f64) {
        self.holds.push((step, expr.into(), value));
    }

    fn fires(&mut self, step: usize, slo: &Slo, pair: &Pair, fires: bool) {
        let expr = format!(
            "count(ALERTS{{alertname=\"{}\", alertstate=\"firing\", long_window=\"{}\"}}) or vector(0)",
            slo.alert(),
            pair.long
        );
        self.hold(step, expr, f64::from(u8::from(fires)));
    }

    fn silent(&mut self, step: usize) {
        self.silent.push(step);
    }

    fn yaml(&self, clock: Clock) -> String {
        let step = step(clock);
        let at = |steps: usize| Window::seconds((steps as u64).max(1) * step.as_secs());
        let mut text = format!("  - name: {}\n    interval: {step}\n    input_series:\n", scalar(&self.name));
        for line in &self.input {
            text.push_str(&format!("      - {line}\n"));
        }
        if !self.all_fire.is_empty() || !self.none_fires.is_empty() {
            text.push_str("    alert_rule_test:\n");
        }
        for (steps, slo) in &self.none_fires {
            text.push_str(&format!(
                "      - {{ eval_time: {}, alertname: {}, exp_alerts: [] }}\n",
                at(*steps),
                slo.alert()
            ));
        }
        for (steps, slo) in &self.all_fire {
            text.push_str(&expected_alerts(slo, clock, at(*steps)));
        }
        text.push_str("    promql_expr_test:\n");
        for steps in &self.silent {
            text.push_str(&format!(
                "      - {{ expr: ALERTS, eval_time: {}, exp_samples: [] }}\n",
                at(*steps)
            ));
        }
        for (steps, expr, value) in &self.holds {
            text.push_str(&format!(
                "      - {{ expr: '{expr}', eval_time: {}, exp_samples: [{{ labels: '{{}}', value: {value} }}] }}\n",
                at(*steps)
            ));
        }
        text
    }
}

/// All four alerts of an objective whose every event is bad.
fn expected_alerts(slo: &Slo, clock: Clock, at: Window) -> String {
    let mut text =
        format!("      - eval_time: {at}\n        alertname: {}\n        exp_alerts:\n", slo.alert());
    for pair in clock.pairs() {
        let labels =
            alerts::labels(slo, &pair).into_iter().map(|(name, value)| format!("{name}: {}", scalar(&value)));
        let (summary, description) = alerts::words(slo, clock, &pair);
        let filled = |text: String| scalar(&text.replace("{{ $value | humanizePercentage }}", "100%"));
        text.push_str(&format!(
            "          - exp_labels: {{ {} }}\n            exp_annotations:\n              summary: {}\n              \
             description: {}\n              runbook_url: {}/{}.md\n              dashboard_url: {}{}\n",
            labels.collect::<Vec<_>>().join(", "),
            filled(summary),
            filled(description),
            super::RUNBOOKS,
            slo.alert(),
            super::DASHBOARD,
            slo.name,
        ));
    }
    text
}

/// The evaluation interval of the tests: a fifth of the shortest window.
fn step(clock: Clock) -> Window {
    clock.base().divided_by(5)
}

/// Steps of a time, rounded up.
fn steps(clock: Clock, seconds: f64) -> usize {
    let steps = (seconds / step(clock).secs() - 1e-9).ceil().max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small whole number, not negative"
    )]
    let steps = steps as usize;
    steps
}

/// What an alert must do around a fault, in steps from its beginning and from its end. One step of room on either side:
/// Prometheus 2 counts the sample at the beginning of a window and version 3 does not. Windows of tickets are averages of
/// the shortest window, so they lag behind by at most its length.
struct Timing {
    silent_until: usize,
    fires_by: usize,
    fires_until: usize,
    ends_by: usize,
}

/// Steps of health before a slow burn, where filling a window of days is too much to test with every objective.
const SHORT_HISTORY: usize = 100;

/// `history`: steps of health that the windows have seen before the fault.
fn timing(slo: &Slo, clock: Clock, pair: &Pair, ratio: f64, history: usize) -> Option<Timing> {
    let full = theory::detection(pair, slo.budget(), ratio)?;
    // Of a window that is not full, the known part counts: ratio * t / (history + t) = threshold.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
    let known = history as f64 * step(clock).secs();
    let threshold = theory::threshold(pair, slo.budget());
    let detect = steps(clock, full.min(known * threshold / (ratio - threshold)));
    let reset = steps(clock, theory::reset(pair, slo.budget(), ratio)?);
    let lag = if pair.severity == Severity::Ticket { 5 } else { 0 };
    Some(Timing {
        silent_until: detect.saturating_sub(1),
        fires_by: detect + 1 + lag,
        fires_until: reset.saturating_sub(2),
        ends_by: reset + 1 + lag,
    })
}

/// Health, a fault of one error ratio, health: what each of `pairs` must do, and for how long the fault must last for that.
struct Incident<'a> {
    clock: Clock,
    pairs: &'a [Pair],
    history: usize,
    ratio: &'a dyn Fn(&Slo) -> f64,
}

impl Incident<'_> {
    fn timing(&self, slo: &Slo, pair: &Pair) -> Option<Timing> {
        timing(slo, self.clock, pair, (self.ratio)(slo), self.history)
    }

    /// Until every alert that will fire has fired, every short window is full of the fault, and every long one has seen enough
    /// of it to stay above its threshold until the short one has ended the alert.
    fn lasts(&self, slos: &[Slo]) -> usize {
        let one = |slo: &Slo, pair: &Pair| {
            let Some(time) = self.timing(slo, pair) else { return 0 };
            let threshold = theory::threshold(pair, slo.budget());
            let share = threshold / ((self.ratio)(slo) - threshold);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
            let stays =
                steps(self.clock, share * (self.history + time.ends_by) as f64 * step(self.clock).secs());
            let short = steps(self.clock, pair.short.secs());
            // A full window loses nothing at its old end while it still holds health there.
            let full = self.history >= steps(self.clock, pair.long.secs());
            time.fires_by.max(short).max(if full { 0 } else { stays + 10 })
        };
        slos.iter()
            .flat_map(|slo| self.pairs.iter().map(move |pair| one(slo, pair)))
            .max()
            .unwrap_or_default()
            + 3
    }

    fn add_to(&self, test: &mut Test, slos: &[Slo]) {
        let (before, lasts) = (self.history, self.lasts(slos));
        let all = || slos.iter().flat_map(|slo| self.pairs.iter().map(move |pair| (slo, pair)));
        let ends = all().filter_map(|(slo, pair)| self.timing(slo, pair)).map(|time| time.ends_by).max();
        for slo in slos {
            let course = Course::default().then(before, 0.0).then(lasts, (self.ratio)(slo));
            test.input(slo, &course.then(ends.unwrap_or_default() + 1, 0.0));
        }
        for (slo, pair) in all() {
            test.fires(before, slo, pair, false);
            let Some(time) = self.timing(slo, pair) else {
                test.fires(before + lasts, slo, pair, false);
                continue;
            };
            test.fires(before + time.silent_until, slo, pair, false);
            test.fires(before + time.fires_by, slo, pair, true);
            test.fires(before + lasts + time.fires_until, slo, pair, true);
            test.fires(before + lasts + time.ends_by, slo, pair, false);
        }
    }
}

fn outage(slos: &[Slo], clock: Clock, ratio: f64) -> Test {
    let mut test =
        Test::new(format!("pages fire and end when theory says: {} % of the events are bad", ratio * 100.0));
    let pages: Vec<_> = clock.pairs().into_iter().filter(|pair| pair.severity == Severity::Page).collect();
    let history = steps(clock, pages[1].long.secs()) + 5;
    Incident { clock, pairs: &pages, history, ratio: &|_| ratio }.add_to(&mut test, slos);
    test
}

/// Four times the budget: both tickets, no page.
fn slow_burn(slos: &[Slo], clock: Clock, history: usize) -> Test {
    let name =
        "tickets fire and end when theory says, and nobody is paged: the budget burns 4 times too fast";
    let mut test = Test::new(name);
    Incident { clock, pairs: &clock.pairs(), history, ratio: &|slo| 4.0 * slo.budget() }
        .add_to(&mut test, slos);
    test
}

/// Nothing ever worked: every window says 100 %, so every alert fires, with known words.
fn never_worked(slos: &[Slo]) -> Test {
    let mut test = Test::new("a service that has failed from its start has all alerts");
    for slo in slos {
        test.input(slo, &Course::default().then(20, 1.0));
        test.all_fire.push((20, slo.clone()));
        test.hold(20, format!("count(slo:error_budget_remaining:ratio{{slo=\"{}\"}} < 0)", slo.name), 1.0);
        test.hold(20, format!("sum(slo:time_to_exhaustion:seconds{{slo=\"{}\"}})", slo.name), 0.0);
    }
    test
}

fn traps(slos: &[Slo], clock: Clock) -> Vec<Test> {
    vec![
        healthy(slos, clock),
        within_objective(slos),
        no_traffic(slos, clock),
        no_error_series(slos),
        first_error(slos),
        low_traffic(slos),
        low_traffic_outage(slos, clock),
        counter_reset(slos, clock),
        nothing_scraped(),
    ]
}

/// Everything that is recorded is there, once an objective, and a number.
fn complete(test: &mut Test, step: usize, slos: &[Slo], clock: Clock) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of objectives")]
    let count = slos.len() as f64;
    let windows = clock.pairs().into_iter().flat_map(|pair| [pair.short, pair.long]);
    let ratios = windows.map(super::ratio);
    let meta = ["error_budget", "objective", "current_burn_rate", "period_error", "error_budget_remaining"];
    let meta = meta.map(|name| format!("slo:{name}:ratio"));
    let rest = ["slo:time_to_exhaustion:seconds", "slo_info"].map(str::to_owned);
    let mut names: Vec<_> = ratios.chain(meta).chain(rest).collect();
    names.sort();
    names.dedup();
    for name in names {
        test.hold(step, format!("count({name} > -1)"), count);
    }
}

fn healthy(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("a healthy service: silent, all of the budget left");
    for slo in slos {
        test.input(slo, &Course::default().then(60, 0.0));
        test.none_fires.push((60, slo.clone()));
        test.hold(60, format!("sum(slo:error_budget_remaining:ratio{{slo=\"{}\"}})", slo.name), 1.0);
        test.hold(
            60,
            format!("sum(slo:time_to_exhaustion:seconds{{slo=\"{}\"}})", slo.name),
            clock.period(slo).secs(),
        );
    }
    complete(&mut test, 60, slos, clock);
    for step in [2, 10, 30, 60] {
        test.silent(step);
    }
    test
}

/// What `burn rate > 0.05` would page for.
fn within_objective(slos: &[Slo]) -> Test {
    let mut test = Test::new("errors within the objective: burn rate 0.9, silent");
    for slo in slos {
        test.input(slo, &Course::default().then(120, 0.9 * slo.budget()));
        let burn = format!("slo:current_burn_rate:ratio{{slo=\"{}\"}}", slo.name);
        test.hold(120, format!("count({burn} > 0.85 and {burn} < 0.95)"), 1.0);
    }
    for step in [2, 10, 60, 120] {
        test.silent(step);
    }
    test
}

fn no_traffic(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("zero traffic: the error ratio is 0 and a number, silent");
    for slo in slos {
        test.input(slo, &Course::default().then_at(0.0, 60, 0.0));
        test.hold(60, format!("count({} == 0)", super::recorded(&super::ratio(clock.base()), slo)), 1.0);
    }
    test.silent(60);
    test
}

fn no_error_series(slos: &[Slo]) -> Test {
    let mut test = Test::new("no series of errors exists yet: the error ratio is 0, silent");
    for slo in slos {
        test.input(slo, &Course::default().then(60, 0.0).without_bad_series());
        test.hold(60, format!("count(slo:period_error:ratio{{slo=\"{}\"}} == 0)", slo.name), 1.0);
    }
    test.silent(60);
    test
}

/// A counter that is born at 1 has lost its first increase; the following ones count.
fn first_error(slos: &[Slo]) -> Test {
    let mut test = Test::new("the first error of a new series fires nothing, an outage in a new series does");
    for slo in slos {
        let course =
            Course::default().then(90, 0.0).bad_series_begins().errors(1.0).then(30, 0.0).then(30, 1.0);
        test.input(slo, &course);
        test.hold(
            151,
            format!(
                "count(ALERTS{{slo=\"{}\", alertstate=\"firing\", severity=\"page\"}}) > bool 0",
                slo.name
            ),
            1.0,
        );
    }
    for step in [90, 92, 100, 121] {
        test.silent(step);
    }
    test
}

fn low_traffic(slos: &[Slo]) -> Test {
    let mut test = Test::new("low traffic: one request in ten steps, one of them fails, silent");
    for slo in slos {
        let mut course = Course::default();
        for request in 0..12 {
            course = course.then_at(0.0, 9, 0.0);
            course = if request == 6 { course.errors(1.0) } else { course.then_at(1.0, 1, 0.0) };
        }
        test.input(slo, &course);
    }
    // The error comes in step 70.
    for step in [71, 73, 75, 80, 120] {
        test.silent(step);
    }
    test
}

/// The guard against the single error must not hide an outage.
fn low_traffic_outage(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("low traffic: one request a step, all fail, and the page comes");
    let pair = clock.pairs()[0];
    for slo in slos {
        test.input(slo, &Course::default().then_at(1.0, 65, 0.0).then_at(1.0, 30, 1.0));
        let detect = timing(slo, clock, &pair, 1.0, 65).map_or(0, |timing| timing.fires_by);
        test.fires(65, slo, &pair, false);
        test.fires(65 + detect.max(slo.minimum_errors as usize + 1), slo, &pair, true);
    }
    test
}

fn counter_reset(slos: &[Slo], clock: Clock) -> Test {
    let mut test =
        Test::new("the process restarts: counters begin at 0 again, silent; an outage after it pages");
    for slo in slos {
        let course = Course::default().then(60, 0.0).restart().then(60, 0.0);
        test.input(slo, &course.then(30, 1.0));
        test.hold(
            119,
            format!("count({} == 0)", super::recorded(&super::ratio(clock.pairs()[0].long), slo)),
            1.0,
        );
        test.hold(
            150,
            format!(
                "count(ALERTS{{slo=\"{}\", alertstate=\"firing\", severity=\"page\"}}) > bool 0",
                slo.name
            ),
            1.0,
        );
    }
    for step in [60, 61, 62, 65, 119] {
        test.silent(step);
    }
    test
}

/// Nothing is known, so nothing is said: that the target is gone is another alert's business.
fn nothing_scraped() -> Test {
    let mut test = Test::new("no data: nothing is scraped, no ratio is made up, silent");
    test.input.push("{ series: 'up', values: '0x60' }".to_owned());
    test.hold(60, "count({__name__=~\"slo:sli_error:.*\"}) or vector(0)", 0.0);
    test.silent(60);
    test
}
