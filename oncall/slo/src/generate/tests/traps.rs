//! Situations that burn-rate alerts are known to get wrong: quiet services, first errors, resets, gaps.

use super::{
    super::{ratio, recorded},
    Course, Test,
    incident::timing,
};
use crate::{AlertKind, Clock, Slo, theory};

pub(super) fn traps(slos: &[Slo], clock: Clock) -> Vec<Test> {
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

/// Every recorded series exists once per objective, and is a number.
fn complete(test: &mut Test, step: usize, slos: &[Slo], clock: Clock) {
    let own = slos.iter().map(|slo| slo.name.as_str()).collect::<Vec<_>>().join("|");
    #[expect(clippy::cast_precision_loss, reason = "a handful of objectives")]
    let count = slos.len() as f64;
    let windows = clock.pairs().into_iter().flat_map(|pair| [pair.short, pair.long]);
    let ratios = windows.map(ratio);
    let meta = [
        "error_budget",
        "objective",
        "current_burn_rate",
        "period_error",
        "period_known",
        "error_budget_remaining",
    ];
    let meta = meta.map(|name| format!("slo:{name}:ratio"));
    let rest = [
        "slo:time_to_exhaustion:seconds",
        "slo:period_total:count",
        "slo:period_bad:count",
        "slo:recorded_since:timestamp_seconds",
        "slo_info",
    ];
    let rest = rest.map(str::to_owned);
    let mut names: Vec<_> = ratios.chain(meta).chain(rest).collect();
    names.sort();
    names.dedup();
    for name in names {
        test.hold(step, format!("count({name}{{slo=~\"{own}\"}} > -1)"), count);
    }
}

fn healthy(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("a healthy service: silent, all of the budget left");
    for slo in slos {
        test.input(slo, &Course::default().then(60, 0.0));
        AlertKind::ALL.into_iter().for_each(|kind| test.silent_of(60, slo.alert_of(kind)));
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

/// An alert on `burn rate > 0.05` would page for this.
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
        test.hold(60, format!("count({} == 0)", recorded(&ratio(clock.base()), slo)), 1.0);
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

/// A counter that is created at 1 has lost its first increase; the following ones count.
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
    // The error happens in step 70.
    for step in [71, 73, 75, 80, 120] {
        test.silent(step);
    }
    test
}

/// The guard against single errors must not hide an outage.
fn low_traffic_outage(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("low traffic: one request per step, all fail, and the page comes");
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
        test.hold(119, format!("count({} == 0)", recorded(&ratio(clock.pairs()[0].long), slo)), 1.0);
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

/// Nothing is known, so nothing fires: another alert reports that the target is gone.
fn nothing_scraped() -> Test {
    let mut test = Test::new("no data: nothing is scraped, no ratio is made up, silent");
    test.input.push("{ series: 'up', values: '0x60' }".to_owned());
    test.hold(60, "count({__name__=~\"slo:sli_error:.*\"}) or vector(0)", 0.0);
    test.silent(60);
    test
}

/// What can be said of a throughput: its windows are good or bad as a whole. A window is bad when all of it is: a rate over five
/// steps is above the floor until it has left the last of the good events behind.
pub(super) fn throughput(slos: &[Slo], clock: Clock) -> Vec<Test> {
    let mut stalled = Test::new(
        "nothing is done any more of what is offered: the page comes, and ends when it is done again",
    );
    let mut healthy = Test::new("throughput, healthy: as much is done as is offered, silent");
    let mut idle = Test::new("throughput: less is offered than counts, nothing is done, silent");
    let mut nothing = Test::new("throughput, no data: nothing is scraped, silent");
    let pair = clock.pairs()[0];
    let lag = 5;
    for slo in slos {
        let fires = super::steps(clock, theory::detection(&pair, slo.budget(), 1.0).unwrap_or_default());
        let lasts = lag + fires + 10;
        stalled.input(slo, &Course::default().then(65, 0.0).then(lasts, 1.0).then(20, 0.0));
        stalled.fires(65 + 3, slo, &pair, false);
        stalled.fires(65 + lag + fires + 2, slo, &pair, true);
        stalled.fires(65 + lasts - 1, slo, &pair, true);
        stalled.fires(65 + lasts + lag + 2, slo, &pair, false);
        healthy.input(slo, &Course::default().then(60, 0.0));
        // One event in ten steps: the lints refuse floors that so little could reach.
        let rare = (0..6).fold(Course::default(), |course, _| course.then_at(0.0, 9, 0.0).errors(1.0));
        idle.input(slo, &rare);
        idle.hold(60, format!("count({} == 0)", recorded(&ratio(pair.long), slo)), 1.0);
    }
    nothing.input.push("{ series: 'up', values: '0x60' }".to_owned());
    [&mut healthy, &mut idle, &mut nothing].into_iter().for_each(|test| test.silent(60));
    vec![stalled, healthy, idle, nothing]
}
