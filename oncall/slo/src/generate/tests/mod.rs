//! promtool tests: every alert is silent when it should be, and fires and ends when theory says.

mod incident;
mod promtool;
mod traps;

use incident::{Incident, SHORT_HISTORY, step, steps};
use promtool::Test;

use super::{group_names, scenarios::Course};
use crate::{Clock, Severity, Slo, generate::File};

/// Error ratios of the outages.
const RATIOS: [f64; 3] = [1.0, 0.1, 0.02];

/// The test files of a clock.
pub(super) fn files(slos: &[Slo], clock: Clock) -> Vec<File> {
    let mut outages: Vec<_> = RATIOS.into_iter().map(|ratio| outage(slos, clock, ratio)).collect();
    outages.push(never_worked(slos));
    [
        ("outages", outages),
        ("tickets", vec![slow_burn(slos, clock, SHORT_HISTORY)]),
        ("traps", traps::traps(slos, clock)),
    ]
    .into_iter()
    .map(|(name, tests)| File {
        path: format!("dashboards/tests/slo-{clock}-{name}.test.yml"),
        text: yaml(slos, clock, &tests),
    })
    .collect()
}

/// The test of tickets with full windows: 5,700 evaluations of every rule, so only for a few objectives.
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

/// Nothing ever worked: every window is at 100 %, so every alert fires, with known annotations.
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
