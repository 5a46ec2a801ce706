//! When each alert must fire and end around a fault, according to the theory of burn rates.

use super::{Course, Test};
use crate::{Clock, Pair, Severity, Slo, Window, theory};

/// The evaluation interval of the tests: a fifth of the shortest window.
pub(super) fn step(clock: Clock) -> Window {
    clock.base().divided_by(5)
}

/// Steps in a time, rounded up.
pub(super) fn steps(clock: Clock, seconds: f64) -> usize {
    let steps = (seconds / step(clock).secs() - 1e-9).ceil().max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small whole number, not negative"
    )]
    let steps = steps as usize;
    steps
}

/// What an alert must do around a fault, in steps from its start and from its end. One step of tolerance on either
/// side: Prometheus 2 counts the sample at the start of a window, version 3 does not. Windows of tickets are
/// averages of the shortest window, so they lag by at most its length.
pub(super) struct Timing {
    silent_until: usize,
    pub(super) fires_by: usize,
    fires_until: usize,
    ends_by: usize,
}

/// Steps of health before a slow burn, because filling a window of days would take too long for every objective.
pub(super) const SHORT_HISTORY: usize = 60;

/// `history`: steps of health that the windows have seen before the fault.
pub(super) fn timing(slo: &Slo, clock: Clock, pair: &Pair, ratio: f64, history: usize) -> Option<Timing> {
    let full = theory::detection(pair, slo.budget(), ratio)?;
    // In a window that is not full, only the known part counts: ratio * t / (history + t) = threshold.
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

/// Health, a fault with one error ratio, health: what each of `pairs` must do, and how long the fault must last for
/// that.
pub(super) struct Incident<'a> {
    pub(super) clock: Clock,
    pub(super) pairs: &'a [Pair],
    pub(super) history: usize,
    pub(super) ratio: &'a dyn Fn(&Slo) -> f64,
}

impl Incident<'_> {
    pub(super) fn timing(&self, slo: &Slo, pair: &Pair) -> Option<Timing> {
        timing(slo, self.clock, pair, (self.ratio)(slo), self.history)
    }

    /// Until every alert that will fire has fired, every short window is full of the fault, and every long one has
    /// seen enough of it to stay above its threshold until the short one has ended the alert.
    pub(super) fn lasts(&self, slos: &[Slo]) -> usize {
        let one = |slo: &Slo, pair: &Pair| {
            let Some(time) = self.timing(slo, pair) else { return 0 };
            let threshold = theory::threshold(pair, slo.budget());
            let share = threshold / ((self.ratio)(slo) - threshold);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
            let stays =
                steps(self.clock, share * (self.history + time.ends_by) as f64 * step(self.clock).secs());
            let short = steps(self.clock, pair.short.secs());
            // A full window loses no errors at its old end while that part is still healthy.
            let full = self.history >= steps(self.clock, pair.long.secs());
            time.fires_by.max(short).max(if full { 0 } else { stays + 10 })
        };
        slos.iter()
            .flat_map(|slo| self.pairs.iter().map(move |pair| one(slo, pair)))
            .max()
            .unwrap_or_default()
            + 3
    }

    pub(super) fn add_to(&self, test: &mut Test, slos: &[Slo]) {
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
