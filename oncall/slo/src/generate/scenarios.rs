//! The course of events in a test: counters over steps, for any objective.
//!
//! A step is the evaluation interval of the test, a fifth of the shortest window: 1 s on the lab's clock, 1 min in
//! production. So the scenarios of both clocks have the same numbers.

use std::fmt::Write;

use crate::{Sli, Slo, selector::Selector, window::number};

/// Events of one step: all of them, and the bad ones. Whole numbers: a sum of fractions may be slightly lower than
/// the one that promtool computes, and a counter that decreases, by however little, counts as restarted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) all: f64,
    pub(super) bad: f64,
}

/// The course of a scenario for one objective.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    steps: Vec<Step>,
    /// The process is replaced before this step: its counters start at 0.
    restart: Option<usize>,
    /// The series of bad events does not exist before this step.
    bad_from: Option<usize>,
}

/// What a series counts.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    All,
    Good,
    Bad,
}

/// Events per step by default: enough for a fraction of any budget to be a whole number.
const TRAFFIC: f64 = 100_000.0;

impl Course {
    /// `steps` more steps with this share of bad events.
    pub(super) fn then(self, steps: usize, ratio: f64) -> Self {
        self.then_at(TRAFFIC, steps, ratio)
    }

    /// `steps` more steps with this much traffic and this share of bad events.
    pub(super) fn then_at(mut self, all: f64, steps: usize, ratio: f64) -> Self {
        self.steps.extend(std::iter::repeat_n(Step { all, bad: (all * ratio).round() }, steps));
        self
    }

    /// One step with `count` events, all of them bad.
    pub(super) fn errors(mut self, count: f64) -> Self {
        self.steps.push(Step { all: count, bad: count });
        self
    }

    /// The process is replaced here.
    pub(super) fn restart(mut self) -> Self {
        self.restart = Some(self.steps.len());
        self
    }

    /// The series of bad events starts to exist here.
    pub(super) fn bad_series_begins(mut self) -> Self {
        self.bad_from = Some(self.steps.len());
        self
    }

    /// The series of bad events never exists.
    pub(super) fn without_bad_series(mut self) -> Self {
        self.bad_from = Some(usize::MAX);
        self
    }

    /// Whether example series can be found for an objective.
    ///
    /// # Errors
    /// As [`Course::input`].
    pub(super) fn possible(slo: &Slo) -> Result<(), String> {
        series(&slo.sli).map(|_| ())
    }

    /// The lines of `input_series` that put an objective through this course.
    ///
    /// # Errors
    /// When no example series matches the objective's selectors; the lints refuse such a spec.
    pub(super) fn input(&self, slo: &Slo) -> Result<Vec<String>, String> {
        let lines = series(&slo.sli)?.into_iter();
        Ok(lines
            .map(|(series, counts)| format!("{{ series: '{series}', values: '{}' }}", self.values(counts)))
            .collect())
    }

    /// The values of a counter in promtool's notation.
    fn values(&self, counts: Counts) -> String {
        let mut sum = 0.0;
        let mut values = vec![Some(0.0)];
        for (at, step) in self.steps.iter().enumerate() {
            if self.restart == Some(at) {
                sum = 0.0;
            }
            sum += match counts {
                Counts::All => step.all,
                Counts::Good => step.all - step.bad,
                Counts::Bad => step.bad,
            };
            values.push(Some(sum));
        }
        if let (Counts::Bad, Some(from)) = (counts, self.bad_from) {
            values.iter_mut().take(from.saturating_add(1)).for_each(|value| *value = None);
        }
        notation(&values)
    }
}

/// Runs of equal differences as `first+differencexcount`, gaps as `_xcount`.
fn notation(values: &[Option<f64>]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < values.len() {
        let rest = &values[at..];
        let run = run(rest);
        if !text.is_empty() {
            text.push(' ');
        }
        match (rest[0], run) {
            (None, run) => {
                let _ = write!(text, "_x{run}");
            }
            (Some(value), 1) => text.push_str(&number(value)),
            (Some(value), run) => {
                let difference = rest[1].unwrap_or(value) - value;
                let _ = write!(text, "{}+{}x{}", number(value), number(difference), run - 1);
            }
        }
        at += run;
    }
    text
}

/// How many values from the first on differ by the same amount, or are absent like it.
fn run(values: &[Option<f64>]) -> usize {
    let Some(first) = values[0] else {
        return values.iter().take_while(|value| value.is_none()).count();
    };
    let Some(Some(second)) = values.get(1) else { return 1 };
    let difference = second - first;
    // A counter that restarts goes down; the notation could express that, but nobody could read it.
    if difference < 0.0 {
        return 1;
    }
    let same = |pair: &[Option<f64>]| match pair {
        [Some(a), Some(b)] => (b - a - difference).abs() < 1e-6,
        _ => false,
    };
    1 + values.windows(2).take_while(|pair| same(pair)).count()
}

/// Series that an objective counts, as promtool writes them.
fn series(sli: &Sli) -> Result<Vec<(String, Counts)>, String> {
    match sli {
        Sli::Bad { bad, total } => {
            let (some, others) = split(bad, total)?;
            Ok(vec![(some, Counts::Bad), (others, Counts::Good)])
        }
        Sli::Good { good, total } => {
            let (some, others) = split(good, total)?;
            Ok(vec![(some, Counts::Good), (others, Counts::Bad)])
        }
        Sli::Throughput(flow) => Ok(vec![
            (written(&flow.done.name, &flow.done.example()?), Counts::Good),
            (written(&flow.offered.name, &flow.offered.example()?), Counts::All),
        ]),
        Sli::Latency { histogram, threshold } => {
            let labels = histogram.example()?;
            let mut with_le = labels.clone();
            with_le.push(("le".to_owned(), le(*threshold)));
            let bucket = written(&format!("{}_bucket", histogram.name), &with_le);
            Ok(vec![
                (bucket, Counts::Good),
                (written(&format!("{}_count", histogram.name), &labels), Counts::All),
            ])
        }
    }
}

/// The bound as our exporter and Prometheus 3 write it.
fn le(bound: f64) -> String {
    format!("{bound:?}")
}

/// A series that matches both `part` and `whole`, and one that matches only `whole`.
fn split(part: &Selector, whole: &Selector) -> Result<(String, String), String> {
    let mut both = part.example()?;
    for (label, value) in whole.example()? {
        if !both.iter().any(|(known, _)| *known == label) {
            both.push((label, value));
        }
    }
    if !part.names().eq(whole.names()) || !whole.picks(&both) {
        return Err(format!("{whole} does not contain {part}: the part must be counted in the whole"));
    }
    let told_apart = part.matchers.iter().find(|matcher| !whole.matchers.contains(matcher));
    let told_apart = told_apart.ok_or_else(|| format!("{part} and {whole} are the same"))?;
    let mut rest = both.clone();
    let neutral = ["200", "500", "good", "other"].map(str::to_owned);
    let found = told_apart.refused().into_iter().chain(neutral).find(|candidate| {
        for (label, value) in &mut rest {
            if *label == told_apart.label {
                value.clone_from(candidate);
            }
        }
        whole.picks(&rest) && !part.picks(&rest)
    });
    found.ok_or_else(|| format!("no series is in {whole} and not in {part}"))?;
    Ok((written(&part.name, &both), written(&whole.name, &rest)))
}

fn written(name: &str, labels: &[(String, String)]) -> String {
    let labels = labels.iter().map(|(label, value)| format!("{label}=\"{value}\""));
    format!("{name}{{{}}}", labels.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_written_as_runs() {
        let course = Course::default().then(3, 0.0).then(2, 0.5).restart().then(2, 0.0);
        assert_eq!(course.values(Counts::All), "0+100000x5 100000+100000x1");
        assert_eq!(course.values(Counts::Bad), "0+0x3 50000+50000x1 0+0x1");
        let born = Course::default().then(2, 0.0).bad_series_begins().errors(1.0).then(2, 0.0);
        assert_eq!(born.values(Counts::Bad), "_x3 1+0x2");
    }
}
