//! The data of a chart as JSON, for the script that draws it with a cursor.

use serde::Serialize;

use super::{Drawing, lines};
use crate::{
    data::{Exemplar, Series},
    model::{Colour, Lines},
    unit::Unit,
};

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Grafana's id of the unit.
    pub unit: &'static str,
    /// Start and end, in seconds since 1970.
    pub span: (f64, f64),
    /// Lowest and highest value of the axis.
    pub range: (f64, f64),
    /// Whether each series is drawn on top of those before it. The values are those of the series itself.
    pub stacked: bool,
    /// Opacity of the area below a line, from 0 to 1.
    pub fill: f64,
    /// In the order of the columns of the data.
    pub series: Vec<Line>,
    /// The times, then a column of values per series; `null` for a gap.
    pub data: Vec<Vec<Option<f64>>>,
    /// Dashed lines.
    pub thresholds: Vec<Limit>,
    /// Vertical lines.
    pub marks: Vec<ChartMark>,
    /// Dots that lead to traces.
    pub exemplars: Vec<Dot>,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its legend.
    pub name: String,
    /// Whether its line is dashed: after the last colour they begin again.
    pub dashed: bool,
    /// Its colour, a variable of the stylesheet; none for the next of the palette.
    pub tone: Option<String>,
}

/// A dashed line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// Where.
    pub value: f64,
    /// Its colour, a variable of the stylesheet: `k-red`.
    pub tone: String,
    /// The value with its unit.
    pub label: String,
}

/// A vertical line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChartMark {
    /// Seconds since 1970.
    pub at: f64,
    /// What happened.
    pub text: String,
    /// Where to read more.
    pub url: Option<String>,
    /// Its colour, a variable of the stylesheet: `k-red`.
    pub tone: String,
}

/// A measured request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dot {
    /// Seconds since 1970.
    pub at: f64,
    /// What was measured.
    pub value: f64,
    /// Its trace.
    pub url: String,
}

/// The chart of a panel of lines.
pub(super) fn of(drawing: &Drawing<'_>, options: Lines) -> Chart {
    let drawn = lines::drawn(drawing, options);
    let axis = lines::axis(drawing, options, &drawn);
    let field = &drawing.panel.field;
    let line = |(at, each): (usize, &lines::Drawn<'_>)| {
        let tone = lines::fixed(each).map(tone);
        Line { name: each.series.name.clone(), dashed: tone.is_none() && at >= super::PALETTE, tone }
    };
    let limit =
        |(value, colour): (f64, Colour)| Limit { value, tone: tone(colour), label: field.show(value) };
    let mark = |mark: &super::Mark| ChartMark {
        at: mark.at,
        text: mark.text.clone(),
        url: mark.url.clone(),
        tone: tone(mark.colour),
    };
    let series: Vec<&Series> = drawn.iter().map(|each| each.series).collect();
    Chart {
        unit: field.unit.id(),
        span: drawing.span,
        range: (axis.low, axis.high),
        stacked: options.stacked,
        fill: f64::from(options.fill) / 100.0,
        series: drawn.iter().enumerate().map(line).collect(),
        data: columns(&series, drawing.span, drawing.step),
        thresholds: field.limits().filter(|_| options.limits).map(limit).collect(),
        marks: drawing.visible().map(mark).collect(),
        exemplars: drawing.answer.exemplars.iter().map(dot).collect(),
    }
}

impl Chart {
    /// A chart of some series without a panel.
    #[must_use]
    pub fn plain(series: &[Series], step: f64, span: (f64, f64), unit: Unit) -> Self {
        let values = || series.iter().flat_map(|each| &each.points).map(|(_, value)| *value);
        let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let axis = super::Axis::around((low, high), (None, None), unit, 6);
        let line = |(at, each): (usize, &Series)| Line {
            name: each.name.clone(),
            dashed: at >= super::PALETTE,
            tone: None,
        };
        let drawn: Vec<&Series> = series.iter().take(super::MOST_SERIES).collect();
        Self {
            unit: unit.id(),
            span,
            range: (axis.low, axis.high),
            stacked: false,
            fill: 0.0,
            series: series.iter().take(super::MOST_SERIES).enumerate().map(line).collect(),
            data: columns(&drawn, span, step),
            thresholds: Vec::new(),
            marks: Vec::new(),
            exemplars: Vec::new(),
        }
    }
}

fn tone(colour: Colour) -> String {
    format!("k-{}", colour.name())
}

fn dot(exemplar: &Exemplar) -> Dot {
    Dot { at: exemplar.at, value: exemplar.value, url: format!("/explore/traces/{}", exemplar.trace) }
}

/// Times and values side by side: a row per step.
fn columns(series: &[&Series], (from, until): (f64, f64), step: f64) -> Vec<Vec<Option<f64>>> {
    let rows = ((until - from) / step).round().clamp(0.0, 11_000.0) as usize + 1;
    let mut times = vec![None; rows];
    let mut at = from;
    for time in &mut times {
        *time = Some(at);
        at += step;
    }
    let column = |series: &&Series| {
        let mut values = vec![None; rows];
        for (time, value) in &series.points {
            // A cast of a negative number is 0, but no point is before the start.
            let row = ((time - from) / step).round() as usize;
            if let Some(cell) = values.get_mut(row) {
                *cell = Some(*value);
            }
        }
        values
    };
    std::iter::once(times).chain(series.iter().map(column)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    #[test]
    fn a_missing_sample_is_a_gap_in_its_column() {
        let points = vec![(10.0, 1.0), (20.0, 3.0)];
        let series = Series { name: "a".to_owned(), query: 0, labels: Labels::new(), points };
        let chart = Chart::plain(&[series], 5.0, (10.0, 20.0), Unit::Plain);
        let expected = [vec![Some(10.0), Some(15.0), Some(20.0)], vec![Some(1.0), None, Some(3.0)]];
        assert_eq!(chart.data, expected);
        assert_eq!(chart.range, (0.0, 3.0));
    }
}
