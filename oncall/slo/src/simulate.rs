//! When each alert would fire and end, given an error ratio over time.
//!
//! Exact for constant traffic: a window's ratio is then the mean of the error ratio over it. Before the first
//! segment the service was healthy for at least the length of the longest window.

use serde::Serialize;

use crate::{Clock, Pair, Severity, Slo, Window, theory};

/// An error ratio over a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Segment {
    /// How long.
    pub lasts: Window,
    /// Share of bad events, 0 to 1.
    pub ratio: f64,
}

/// An alert that changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Event {
    /// Seconds from the start of the first segment.
    pub at: u64,
    /// `true`: starts to fire; `false`: ends.
    pub fires: bool,
    /// Page or ticket.
    pub severity: Severity,
    /// The pair of windows, by the long one.
    pub long_window: Window,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// In order of time.
    pub events: Vec<Event>,
    /// Share of the period's budget that was spent; above 1 if there was not enough.
    pub budget_spent: f64,
    /// Seconds until the budget was gone, if that happened.
    pub exhausted_at: Option<u64>,
    /// Length of all segments, in seconds.
    pub lasts: u64,
}

impl std::str::FromStr for Segment {
    type Err = String;

    /// `10m@2%`, `10m@0.02`, `10m` for health.
    fn from_str(text: &str) -> Result<Self, String> {
        let (lasts, ratio) = text.split_once('@').unwrap_or((text, "0"));
        let lasts = Window::parse(lasts)?;
        match chassis_text::share(ratio) {
            Some(ratio) => Ok(Self { lasts, ratio }),
            None => Err(format!(
                "`{text}` is not an error ratio over a time: expected DURATION@RATIO with 0 to 100 %, such as 10m@2% or 10m@0.02"
            )),
        }
    }
}

/// Runs through the segments, evaluating once per evaluation interval of the clock.
#[must_use]
pub fn simulate(slo: &Slo, clock: Clock, segments: &[Segment]) -> Outcome {
    let course = Course::new(segments);
    let pairs = clock.pairs();
    let mut firing = [false; 4];
    let mut events = Vec::new();
    let allowed = slo.budget() * clock.period(slo).secs();
    let mut exhausted_at = None;
    let step = usize::try_from(clock.evaluation().as_secs()).unwrap_or(1);
    for at in (0..=course.lasts).step_by(step) {
        for (pair, was) in pairs.iter().zip(&mut firing) {
            let fires = course.above(pair, slo.budget(), at);
            if fires != *was {
                *was = fires;
                events.push(Event { at, fires, severity: pair.severity, long_window: pair.long });
            }
        }
        if exhausted_at.is_none() && course.bad_until(at) >= allowed {
            exhausted_at = Some(at);
        }
    }
    Outcome {
        events,
        budget_spent: course.bad_until(course.lasts) / allowed,
        exhausted_at,
        lasts: course.lasts,
    }
}

/// Accumulated bad seconds at each boundary.
struct Course {
    /// Second, bad seconds before it, ratio from it on.
    parts: Vec<(u64, f64, f64)>,
    lasts: u64,
}

impl Course {
    fn new(segments: &[Segment]) -> Self {
        let (mut at, mut sum) = (0, 0.0);
        let mut parts = Vec::new();
        for segment in segments {
            parts.push((at, sum, segment.ratio));
            at += segment.lasts.as_secs();
            sum += segment.ratio * segment.lasts.secs();
        }
        Self { parts, lasts: at }
    }

    fn bad_until(&self, at: u64) -> f64 {
        let after = self.parts.partition_point(|(from, ..)| *from <= at);
        let Some((from, before, ratio)) = after.checked_sub(1).map(|last| self.parts[last]) else {
            return 0.0;
        };
        // Seconds of a simulation stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let inside = (at - from) as f64;
        before + ratio * inside
    }

    fn mean(&self, at: u64, window: Window) -> f64 {
        (self.bad_until(at) - self.bad_until(at.saturating_sub(window.as_secs()))) / window.secs()
    }

    fn above(&self, pair: &Pair, budget: f64, at: u64) -> bool {
        let threshold = theory::threshold(pair, budget);
        // A mean that is above the threshold only because of rounding counts as equal to it.
        [pair.long, pair.short].into_iter().all(|window| self.mean(at, window) > threshold * (1.0 + 1e-12))
    }
}
