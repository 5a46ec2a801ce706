//! What is left of the budget: the alert that it ends soon, the one that it is spent, and their ends.
//!
//! A budget of 43 minutes of outage in a month takes 43 minutes to spend, on either clock in its own steps. The rules of the period
//! do not depend on how often they are evaluated, so these tests evaluate every fifth step.

use super::{
    super::budgets::{ends_soon, spent},
    Course, Test,
    promtool::expected_of,
    step,
};
use crate::{AlertKind, Clock, Sli, Slo};

/// Steps between two evaluations.
const EVERY: usize = 5;
/// Traffic that makes up for a spent budget, in multiples of the usual one: the budget is a share of all events.
const MANY: f64 = 1000.0 * 100_000.0;

pub(super) fn tests(slos: &[Slo], clock: Clock) -> Vec<Test> {
    vec![burned(slos, clock), stopped(slos, clock)]
}

/// A constant burn that spends the budget in a known number of steps.
struct Burn {
    /// Share of bad events.
    ratio: f64,
    /// Steps until nothing is left.
    lasts: f64,
}

impl Burn {
    /// As short as the objectives allow: all that can be burned in the same time, a throughput at 100 %.
    fn of(slo: &Slo, slos: &[Slo], clock: Clock) -> Self {
        let full = |slo: &Slo| slo.budget() * clock.period(slo).secs() / step(clock).secs();
        if matches!(slo.sli, Sli::Throughput(_)) {
            return Self { ratio: 1.0, lasts: full(slo) };
        }
        let longest = slos.iter().map(full).fold(0.0, f64::max);
        // At most 90 % of the events, and a multiple of 80, so that the shares below are round numbers.
        let lasts = (longest / 0.9 / 80.0 - 1e-9).ceil() * 80.0;
        Self { ratio: full(slo) / lasts, lasts }
    }

    /// The evaluation at or after this share of the budget is gone, counted from the first evaluation, and what is left then.
    fn after(&self, gone: f64) -> (usize, f64) {
        let evaluations = (self.lasts * gone / EVERY as f64 - 1e-9).ceil();
        (evaluations as usize * EVERY, 1.0 - evaluations * EVERY as f64 / self.lasts)
    }
}

/// From its first moment on a service burns its budget: first the rest ends soon, then it is spent, never both.
fn burned(slos: &[Slo], clock: Clock) -> Test {
    let mut test =
        Test::new("a budget that burns is said to end, then to be spent, and comes back with good events");
    let burns: Vec<_> = slos.iter().map(|slo| (slo, Burn::of(slo, slos, clock))).collect();
    let lasts = burns.iter().map(|(_, burn)| burn.after(17.0 / 16.0).0).max().unwrap_or_default() + 5 * EVERY;
    for (slo, burn) in burns {
        test.input(slo, &Course::default().then(lasts, burn.ratio).then_at(MANY, 8 * EVERY, 0.0));
        let (ends, gone) = (slo.alert_of(AlertKind::EndsSoon), slo.alert_of(AlertKind::Spent));
        // The first evaluation that knows a rate is the second one.
        let (half, left) = burn.after(0.5);
        test.fires_as(EVERY + half, ends.clone(), expected_of(&ends_soon(slo, clock), &percentage(left)));
        test.silent_of(EVERY + half, gone.clone());
        let (all, left) = burn.after(17.0 / 16.0);
        test.fires_as(EVERY + all, gone.clone(), expected_of(&spent(slo, clock), &percentage(left)));
        test.silent_of(EVERY + all, ends.clone());
        test.hold(EVERY + all, format!("sum(slo:time_to_exhaustion:seconds{{slo=\"{}\"}})", slo.name), 0.0);
        // Windows cannot come faster than time passes: the budget of a throughput comes back with the period.
        if !matches!(slo.sli, Sli::Throughput(_)) {
            test.silent_of(lasts + 8 * EVERY, ends);
            test.silent_of(lasts + 8 * EVERY, gone);
        }
    }
    test
}

/// The burn ends before the budget does, and so does the alert, as soon as the short window says so.
fn stopped(slos: &[Slo], clock: Clock) -> Test {
    let mut test = Test::new("a budget that stops burning is no longer said to end");
    for slo in slos.iter().filter(|slo| !matches!(slo.sli, Sli::Throughput(_))) {
        let burn = Burn::of(slo, slos, clock);
        test.input(slo, &Course::default().then(60, 0.0).then(60, burn.ratio).then(60, 0.0));
        for (kind, step, fires) in [
            (AlertKind::EndsSoon, 60, 0.0),
            (AlertKind::EndsSoon, 120, 1.0),
            (AlertKind::Spent, 120, 0.0),
            (AlertKind::EndsSoon, 160, 0.0),
        ] {
            let firing = format!("ALERTS{{alertname=\"{}\", alertstate=\"firing\"}}", slo.alert_of(kind));
            test.hold(step, format!("count({firing}) or vector(0)"), fires);
        }
    }
    test.silent(60);
    test
}

/// As Prometheus's template function `humanizePercentage` writes it: four significant digits.
fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = (3.0 - percent.abs().max(1e-3).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{}%", crate::window::trim_zeros(&format!("{percent:.decimals$}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_four_significant_digits() {
        for (share, text) in
            [(0.5, "50%"), (-0.0625, "-6.25%"), (0.502_314_8, "50.23%"), (1.0, "100%"), (-1.5, "-150%")]
        {
            assert_eq!(percentage(share), text);
        }
        assert_eq!(percentage(1.0 / 3.0), "33.33%");
        assert_eq!(percentage(0.012_345_67), "1.235%");
    }
}
