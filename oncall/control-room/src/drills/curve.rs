//! How users were served during a run: the indicator that suffered most, kept for the report, because the
//! next run makes Prometheus forget it.

use chrono::{DateTime, TimeDelta, Utc};
use drill::Outcome;
use incident::postmortem::{Curve, Point};
use observe::prometheus::Series;
use serde::{Deserialize, Serialize};
use slo::Slo;

use crate::{error::Result, eyes::within, room::Room};

/// Points of a curve, about.
const POINTS: f64 = 120.0;
/// Before the injection and after the end.
const AROUND: TimeDelta = TimeDelta::seconds(20);
/// From the best to the worst.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Bars of a curve that is text.
const WIDTH: usize = 60;

/// A curve, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sketch {
    /// Name of the objective.
    pub(super) slo: String,
    /// Its name in sentences.
    pub(super) title: String,
    /// The promised share, 0 to 1.
    pub(super) objective: f64,
    /// Begin of the shaded part: the injection.
    pub(super) from: DateTime<Utc>,
    /// Its end: the recovery.
    pub(super) until: Option<DateTime<Utc>>,
    /// Seconds since 1970, and the share of bad events, 0 to 1.
    pub(super) points: Vec<(f64, f64)>,
}

/// The curve of the objective that had the worst moment; none if nothing was measured.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn sketch(
    room: &Room,
    outcome: &Outcome,
    (injected, ended): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<Sketch>> {
    let (from, until) = (injected - AROUND, ended);
    let step = ((until - from).as_seconds_f64() / POINTS).max(1.0).round();
    let mut worst: Option<(f64, Sketch)> = None;
    for slo in room.content.slos() {
        let query = format!("slo:sli_error:ratio_rate{}{{slo=\"{}\"}}", room.config.clock.base(), slo.name);
        let asked = room.eyes.prometheus.query_range(&query, from, until, step);
        let series = within("Prometheus", asked).await?;
        let points = series.iter().take(1).flat_map(Series::points);
        // JSON has no other numbers.
        let points: Vec<(f64, f64)> = points.filter(|(_, bad)| bad.is_finite()).collect();
        let Some(most) = points.iter().map(|(_, bad)| *bad).max_by(f64::total_cmp) else { continue };
        // In budgets: a tenth of a percent of wrong totals is worse than one of slow pages.
        let most = most / (1.0 - slo.objective);
        if worst.as_ref().is_none_or(|(known, _)| most > *known) {
            let recovered = outcome.recovered.zip(outcome.injected);
            let over = recovered.map(|(recovered, begun)| injected + (recovered - begun));
            worst = Some((most, of(slo, injected, over, points)));
        }
    }
    Ok(worst.map(|(_, sketch)| sketch))
}

fn of(slo: &Slo, from: DateTime<Utc>, until: Option<DateTime<Utc>>, points: Vec<(f64, f64)>) -> Sketch {
    let (name, title) = (slo.name.clone(), slo.title.clone());
    Sketch { slo: name, title, objective: slo.objective, from, until, points }
}

impl Sketch {
    /// The picture.
    pub(super) fn svg(&self) -> String {
        let point = |(at, bad): &(f64, f64)| {
            let at = DateTime::from_timestamp_millis((at * 1000.0).round() as i64)?;
            Some(Point { at, value: 1.0 - bad })
        };
        let points = self.points.iter().filter_map(point).collect();
        let (title, until) = (self.title.clone(), self.until);
        Curve { title, objective: self.objective, points, from: self.from, until }.svg()
    }

    /// The same as text, for a page without pictures: the higher a bar, the more failed.
    pub(super) fn bars(&self) -> String {
        let size = self.points.len().div_ceil(WIDTH).max(1);
        let worst = |part: &[(f64, f64)]| {
            let finite = part.iter().map(|(_, bad)| *bad).filter(|bad| bad.is_finite());
            finite.fold(0.0, f64::max)
        };
        let parts: Vec<f64> = self.points.chunks(size).map(worst).collect();
        let most = parts.iter().copied().fold(0.0, f64::max);
        let bar = |bad: &f64| {
            let height = if most > 0.0 { (bad / most * 7.0).round() as usize } else { 0 };
            BARS.get(height).copied().unwrap_or('█')
        };
        let bars: String = parts.iter().map(bar).collect();
        format!("{}: {:.1} % bad at worst\n\n    {bars}\n", self.title, most * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(points: Vec<(f64, f64)>) -> Sketch {
        Sketch {
            slo: "order-availability".to_owned(),
            title: "Orders are answered".to_owned(),
            objective: 0.999,
            from: DateTime::UNIX_EPOCH,
            until: None,
            points,
        }
    }

    #[test]
    fn bars_grow_with_what_failed() {
        let text = sketch(vec![(0.0, 0.0), (1.0, 0.3), (2.0, 0.15), (3.0, f64::NAN)]).bars();
        assert!(text.starts_with("Orders are answered: 30.0 % bad at worst"), "{text}");
        assert!(text.contains("    ▁█▅▁\n"), "{text}");
        assert!(sketch(Vec::new()).bars().contains("0.0 % bad"));
    }

    #[test]
    fn many_points_are_joined_and_the_worst_of_them_counts() {
        let points = (0..600).map(|at| (f64::from(at), if at == 305 { 1.0 } else { 0.0 })).collect();
        let text = sketch(points).bars();
        let bars = text.lines().nth(2).unwrap().trim();
        let highest = bars.chars().filter(|bar| *bar == '█').count();
        assert_eq!((bars.chars().count(), highest), (60, 1), "{text}");
        assert!(sketch(vec![(0.0, 0.5)]).svg().contains("<title id=\"title\">Orders are answered</title>"));
    }
}
