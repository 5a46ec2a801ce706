//! promtool tests: every alert is silent when it should be, and fires and ends when theory says.

mod budgets;
mod incident;
mod promtool;
mod traps;

use incident::{Incident, SHORT_HISTORY, step, steps};
use promtool::{Test, expected_burn};

use super::{Half, scenarios::Course};
use crate::{Clock, Severity, Sli, Slo, Window, generate::File};

/// Error ratios of the outages.
const RATIOS: [f64; 3] = [1.0, 0.1, 0.02];

/// A file of tests: which rules it loads, and how often they are evaluated. Rules that a test does not need cost most of its time.
struct Plan {
    name: &'static str,
    halves: &'static [Half],
    evaluation: Window,
}

const fn plan(name: &'static str, halves: &'static [Half], evaluation: Window) -> Plan {
    Plan { name, halves, evaluation }
}

/// The test files of a clock.
pub(super) fn files(slos: &[Slo], clock: Clock) -> Vec<File> {
    let every = step(clock);
    // Windows of a throughput are good or bad as a whole: it has no error ratio of 2 %.
    let (flows, counted): (Vec<Slo>, Vec<Slo>) =
        slos.iter().cloned().partition(|slo| matches!(slo.sli, Sli::Throughput(_)));
    let outages = RATIOS.into_iter().map(|ratio| outage(&counted, clock, ratio)).collect();
    let tickets = vec![slow_burn(&counted, clock, SHORT_HISTORY), never_worked(&counted, clock)];
    let mut files = vec![
        (plan("outages", &[Half::Pages], every), outages),
        (plan("tickets", &Half::ALL, every), tickets),
        (plan("traps", &Half::ALL, every), traps::traps(&counted, clock)),
        (plan("budgets", &Half::ALL, clock.slow_evaluation()), budgets::tests(slos, clock)),
    ];
    if !flows.is_empty() {
        files.push((plan("throughput", &Half::ALL, every), traps::throughput(&flows, clock)));
    }
    if counted.is_empty() {
        files.retain(|(plan, _)| ["budgets", "throughput"].contains(&plan.name));
    }
    files.iter().map(|(plan, tests)| plan.file(slos, clock, tests)).collect()
}

/// The test of tickets with full windows: 5,700 evaluations of every rule, so only for a few objectives.
pub(super) fn full_tickets(slos: &[Slo], clock: Clock) -> File {
    let test = plan("full-tickets", &Half::ALL, step(clock));
    test.file(slos, clock, &[slow_burn(slos, clock, steps(clock, clock.pairs()[3].long.secs()) + 5)])
}

impl Plan {
    fn file(&self, slos: &[Slo], clock: Clock, tests: &[Test]) -> File {
        let files = self.halves.iter().map(|half| format!("../rules/{clock}/{}", half.file()));
        let mut text = format!(
            "# Written by `lab slo generate` from dashboards/slos; do not edit.\n\
             rule_files: [{}]\nevaluation_interval: {}\ngroup_eval_order:\n",
            files.collect::<Vec<_>>().join(", "),
            self.evaluation,
        );
        for name in slos.iter().flat_map(|slo| self.halves.iter().map(|half| half.group_name(slo))) {
            text.push_str(&format!("  - {name}\n"));
        }
        text.push_str("tests:\n");
        tests.iter().for_each(|test| text.push_str(&test.yaml(clock)));
        File { path: format!("dashboards/tests/slo-{clock}-{}.test.yml", self.name), text }
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

/// Nothing ever worked: every window is at 100 %, so every burn alert fires, with known annotations.
fn never_worked(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("a service that has failed from its start has all alerts");
    for slo in slos {
        test.input(slo, &Course::default().then(20, 1.0));
        test.fires_as(20, slo.alert(), expected_burn(slo, clock));
        let period = clock.period(slo).as_secs();
        let lasts = format!("slo:time_to_exhaustion:seconds{{slo=\"{}\"}}", slo.name);
        test.hold(20, format!("count({lasts} < {period})"), 1.0);
        test.hold(20, format!("count(slo:error_budget_remaining:ratio{{slo=\"{}\"}} < 1)", slo.name), 1.0);
    }
    test
}
