//! A classic histogram over time: a row per bucket, darker where more was counted.

use std::{collections::BTreeMap, fmt::Write as _};

use maud::{Markup, html};

use super::{Drawing, HIGH, WIDE, dots, mark_lines, percent, time_axis, whole};
use crate::{data::Series, model::Heatmap, unit::Unit};

/// Levels of the colour scale.
const LEVELS: usize = 12;
/// Most texts beside the rows.
const TEXTS: usize = 8;

/// Upper bounds of the buckets, ascending, and what was counted in each at each time.
struct Buckets {
    bounds: Vec<f64>,
    counts: Vec<Vec<(f64, f64)>>,
}

pub(super) fn draw(drawing: &Drawing<'_>, options: Heatmap) -> Markup {
    let buckets = buckets(&drawing.answer.series);
    let height = |value: f64| buckets.height(value);
    let unit = options.unit;
    let role = if drawing.answer.exemplars.is_empty() && drawing.marks.is_empty() { "img" } else { "group" };
    html! {
        div.b-lines { figure.chart {
            div.plot {
                svg.b-area.b-heat viewBox="0 0 2000 1000" preserveAspectRatio="none" role=(role) aria-label=(summary(&buckets, unit, &drawing.panel.title)) {
                    @for (level, d) in levels(drawing, &buckets, options).iter().enumerate() {
                        path class={"b-cell h" (level)} d=(d) {}
                    }
                    (mark_lines(drawing))
                    (dots(drawing, height, |value| unit.show(value)))
                }
                (bounds(&buckets, unit))
                (time_axis(drawing.span, drawing.panel.place.w))
            }
        } }
    }
}

/// Prometheus counts in each bucket what is in the smaller ones too.
fn buckets(series: &[Series]) -> Buckets {
    let bound = |series: &Series| series.labels.get("le").and_then(|le| le.parse::<f64>().ok());
    let mut sorted: Vec<(f64, &Series)> =
        series.iter().filter_map(|each| Some((bound(each)?, each))).collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut below = BTreeMap::<i64, f64>::new();
    let own = |(_, series): &(f64, &Series)| -> Vec<(f64, f64)> {
        let own = series.points.iter().map(|(time, value)| {
            let before = below.insert(whole(time * 1000.0), *value).unwrap_or_default();
            (*time, (value - before).max(0.0))
        });
        own.collect()
    };
    Buckets {
        bounds: sorted.iter().map(|(bound, _)| *bound).collect(),
        counts: sorted.iter().map(own).collect(),
    }
}

impl Buckets {
    /// Where a value is: each bucket is equally high.
    fn height(&self, value: f64) -> f64 {
        let rows = self.bounds.len().max(1) as f64;
        let at = self
            .bounds
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(self.bounds.len().saturating_sub(1));
        let upper = self.bounds.get(at).copied().unwrap_or(f64::INFINITY);
        let lower = at.checked_sub(1).and_then(|at| self.bounds.get(at)).copied().unwrap_or(0.0);
        let inside = if upper.is_finite() && upper > lower { (value - lower) / (upper - lower) } else { 0.5 };
        (at as f64 + inside.clamp(0.0, 1.0)) / rows
    }

    fn highest(&self) -> f64 {
        self.counts.iter().flatten().map(|(_, count)| *count).fold(0.0, f64::max)
    }
}

/// The cells of each level as one path.
fn levels(drawing: &Drawing<'_>, buckets: &Buckets, options: Heatmap) -> Vec<String> {
    let mut paths = vec![String::new(); LEVELS];
    let highest = buckets.highest();
    let rows = buckets.bounds.len().max(1) as f64;
    let width = drawing.step / (drawing.span.1 - drawing.span.0).max(1.0) * WIDE;
    // A gap of a pixel or so between the cells.
    let (w, h) = (whole(width - 2.0).max(1), whole(HIGH / rows - 6.0).max(1));
    for (row, counts) in buckets.counts.iter().enumerate() {
        let y = whole((1.0 - (row as f64 + 1.0) / rows) * HIGH + 3.0);
        for (time, count) in counts.iter().filter(|(_, count)| *count > options.hidden) {
            let share = (count / highest).powf(options.exponent);
            let level = ((share * LEVELS as f64) as usize).min(LEVELS - 1);
            let x = whole(drawing.share(*time) * WIDE - width / 2.0);
            let _ = write!(paths[level], "M{x},{y}h{w}v{h}h-{w}z");
        }
    }
    paths
}

/// The upper bound of every bucket, or of every second one where there are many.
fn bounds(buckets: &Buckets, unit: Unit) -> Markup {
    let rows = buckets.bounds.len();
    let every = rows.div_ceil(TEXTS).max(1);
    let shown = buckets.bounds.iter().enumerate();
    let shown = shown.filter(|(at, bound)| at % every == every - 1 && bound.is_finite());
    html! {
        svg.b-y aria-hidden="true" {
            @for (at, bound) in shown {
                @let share = 1.0 - (at as f64 + 1.0) / rows as f64;
                text x="100%" y=(percent(share)) text-anchor="end" dominant-baseline="middle" { (unit.show(*bound)) }
            }
        }
    }
}

/// The picture in a sentence, for those who do not see it.
fn summary(buckets: &Buckets, unit: Unit, title: &str) -> String {
    let total = |counts: &Vec<(f64, f64)>| counts.iter().map(|(_, count)| *count).sum::<f64>();
    let most = buckets.counts.iter().map(total).enumerate().max_by(|one, other| one.1.total_cmp(&other.1));
    match most.and_then(|(at, _)| buckets.bounds.get(at)) {
        Some(bound) => format!("{title}: most are in the bucket up to {}", unit.show(*bound)),
        None => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    #[test]
    fn a_bucket_has_only_what_the_smaller_ones_do_not_have() {
        let series = |le: &str, value: f64| Series {
            name: le.to_owned(),
            query: 0,
            labels: Labels::from([("le".to_owned(), le.to_owned())]),
            points: vec![(10.0, value)],
        };
        let found = buckets(&[series("+Inf", 9.0), series("0.1", 4.0), series("0.5", 7.0)]);
        assert_eq!(found.bounds, [0.1, 0.5, f64::INFINITY]);
        assert_eq!(found.counts, [vec![(10.0, 4.0)], vec![(10.0, 3.0)], vec![(10.0, 2.0)]]);
        assert!((found.height(0.3) - 0.5).abs() < 1e-9, "{}", found.height(0.3));
    }
}
