//! Lines and stacked areas over time.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{
    Axis, Drawing, HIGH, MOST_SERIES, WIDE, axis::times, dots, mark_lines, percent, series_class, time_axis,
    whole,
};
use crate::{
    data::Series,
    model::{Colour, Field, Lines},
    scope::Clicked,
    unit::Unit,
};

/// One series, ready to be drawn.
pub(super) struct Drawn<'a> {
    pub(super) series: &'a Series,
    pub(super) field: Field,
    pub(super) class: String,
    /// Upper and lower end at each time; the lower one is 0 unless areas are stacked.
    points: Vec<(f64, f64, f64)>,
}

/// The series in the order of the legend, stacked if the panel stacks.
pub(super) fn drawn<'a>(drawing: &Drawing<'a>, options: Lines) -> Vec<Drawn<'a>> {
    let mut below = std::collections::BTreeMap::<i64, f64>::new();
    let each = |(at, series): (usize, &'a Series)| {
        let field = drawing.panel.field(&series.name);
        let fixed = series.last().and_then(|value| field.colour(value));
        let point = |(time, value): &(f64, f64)| {
            if !options.stacked {
                return (*time, *value, 0.0);
            }
            let lower = below.entry(whole(*time * 1000.0)).or_default();
            let from = *lower;
            *lower += value;
            (*time, *lower, from)
        };
        let points = series.points.iter().map(point).collect();
        Drawn { series, field, class: series_class(fixed, at), points }
    };
    drawing.answer.series.iter().take(MOST_SERIES).enumerate().map(each).collect()
}

/// The axis of all series and limits.
pub(super) fn axis(drawing: &Drawing<'_>, options: Lines, drawn: &[Drawn<'_>]) -> Axis {
    let field = &drawing.panel.field;
    let ends = drawn
        .iter()
        .flat_map(|each| &each.points)
        .flat_map(|(_, upper, lower)| [*upper, if options.stacked { *lower } else { *upper }]);
    let limits = field.limits().filter(|_| options.limits).map(|(value, _)| value);
    let (low, high) = ends
        .chain(limits)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let found = if low.is_finite() { (low, high) } else { (0.0, 0.0) };
    let steps = (drawing.panel.place.h * 38).saturating_sub(70) / 40;
    Axis::around(found, (field.min, field.max), field.unit, steps.clamp(2, 8))
}

pub(super) fn draw(drawing: &Drawing<'_>, options: Lines) -> Markup {
    let drawn = drawn(drawing, options);
    let axis = axis(drawing, options, &drawn);
    let place =
        |time: f64, value: f64| (whole(drawing.share(time) * WIDE), whole((1.0 - axis.share(value)) * HIGH));
    let unit = drawing.panel.field.unit;
    let role = if drawing.answer.exemplars.is_empty() && drawing.marks.is_empty() { "img" } else { "group" };
    html! {
        div class=(if options.table { "b-lines b-wide" } else { "b-lines" }) {
            figure.chart data-chart=[drawing.json] {
                div.plot {
                    svg.b-area viewBox="0 0 2000 1000" preserveAspectRatio="none" role=(role) aria-label=(summary(drawing, &drawn)) {
                        (grid(&axis, drawing))
                        @for each in &drawn {
                            g class=(each.class) {
                                @if options.fill > 0 {
                                    path.b-fill fill-opacity=(f64::from(options.fill) / 100.0) d=(areas(each, options, drawing.step, &axis, place)) {}
                                }
                                path.b-line d=(path(&each.points, drawing.step, place)) {}
                            }
                        }
                        @if options.limits { (limits(drawing, &axis)) }
                        (mark_lines(drawing))
                        (dots(drawing, |value| axis.share(value), |value| unit.show(value)))
                    }
                    (value_axis(&axis))
                    (time_axis(drawing.span, drawing.panel.place.w))
                }
            }
            (legend(drawing, options, &drawn))
        }
    }
}

/// A chart of some series without a panel: for queries that people type.
#[must_use]
pub fn lines(
    series: &[Series],
    step: f64,
    span: (f64, f64),
    columns: u32,
    unit: Unit,
    json: Option<&str>,
) -> Markup {
    let ends = series.iter().flat_map(|each| &each.points).map(|(_, value)| *value);
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let found = if low.is_finite() { (low.min(0.0), high) } else { (0.0, 0.0) };
    let axis = Axis::around(found, (None, None), unit, 6);
    let length = (span.1 - span.0).max(1.0);
    let place = |time: f64, value: f64| {
        (whole((time - span.0) / length * WIDE), whole((1.0 - axis.share(value)) * HIGH))
    };
    html! {
        figure.chart data-chart=[json] {
            div.plot {
                svg.b-area viewBox="0 0 2000 1000" preserveAspectRatio="none" role="img" aria-label={(series.len()) " series over time"} {
                    (lines_of(&axis, span, columns))
                    @for (at, each) in series.iter().take(MOST_SERIES).enumerate() {
                        @let points: Vec<(f64, f64, f64)> = each.points.iter().map(|(time, value)| (*time, *value, 0.0)).collect();
                        g class=(series_class(None, at)) { path.b-line d=(path(&points, step, place)) {} }
                    }
                }
                (value_axis(&axis))
                (time_axis(span, columns))
            }
        }
    }
}

fn value_axis(axis: &Axis) -> Markup {
    html! {
        svg.b-y aria-hidden="true" {
            @for (value, text) in &axis.ticks {
                text x="100%" y=(percent(1.0 - axis.share(*value))) text-anchor="end" dominant-baseline="middle" { (text) }
            }
        }
    }
}

fn grid(axis: &Axis, drawing: &Drawing<'_>) -> Markup {
    lines_of(axis, drawing.span, drawing.panel.place.w)
}

fn lines_of(axis: &Axis, span: (f64, f64), columns: u32) -> Markup {
    let mut d = String::new();
    for (value, _) in &axis.ticks {
        let _ = write!(d, "M0,{}h2000", whole((1.0 - axis.share(*value)) * HIGH));
    }
    for (share, _) in times(span, (columns / 2).clamp(2, 12)) {
        let _ = write!(d, "M{},0v1000", whole(share * WIDE));
    }
    html! { path.b-lattice d=(d) {} }
}

fn limits(drawing: &Drawing<'_>, axis: &Axis) -> Markup {
    let field = &drawing.panel.field;
    html! {
        @for (value, colour) in field.limits() {
            g class={"b-limit k-" (colour.name())} {
                title { "Limit: " (field.show(value)) }
                path d={"M0," (whole((1.0 - axis.share(value)) * HIGH)) "h2000"} {}
            }
        }
    }
}

/// Runs of points without a gap: a sample that is missing interrupts the line.
fn runs(points: &[(f64, f64, f64)], step: f64) -> impl Iterator<Item = &[(f64, f64, f64)]> {
    points.chunk_by(move |one, other| other.0 - one.0 <= step * 1.5)
}

fn path(points: &[(f64, f64, f64)], step: f64, place: impl Fn(f64, f64) -> (i64, i64)) -> String {
    let mut d = String::new();
    for run in runs(points, step) {
        trace(&mut d, run.iter().map(|(time, upper, _)| place(*time, *upper)));
        if run.len() == 1 {
            // A dot.
            d.push_str("h.01");
        }
    }
    d
}

/// The area between each line and what is below it.
fn areas(
    drawn: &Drawn<'_>,
    options: Lines,
    step: f64,
    axis: &Axis,
    place: impl Fn(f64, f64) -> (i64, i64),
) -> String {
    let base = 0.0_f64.clamp(axis.low, axis.high);
    let mut d = String::new();
    for run in runs(&drawn.points, step).filter(|run| run.len() > 1) {
        let upper = run.iter().map(|(time, upper, _)| place(*time, *upper));
        if options.stacked {
            let lower = run.iter().rev().map(|(time, _, lower)| place(*time, *lower));
            trace(&mut d, upper.chain(lower));
        } else {
            let ends = run.last().into_iter().chain(run.first());
            trace(&mut d, upper.chain(ends.map(|(time, ..)| place(*time, base))));
        }
        d.push('z');
    }
    d
}

/// Relative coordinates: less than half the size.
fn trace(d: &mut String, points: impl Iterator<Item = (i64, i64)>) {
    let mut before = None;
    for (x, y) in points {
        let _ = match before {
            None => write!(d, "M{x},{y}l"),
            Some((from_x, from_y)) => write!(d, "{},{} ", x - from_x, y - from_y),
        };
        before = Some((x, y));
    }
    // A command without its numbers is not valid.
    if d.ends_with('l') {
        d.pop();
    }
}

fn legend(drawing: &Drawing<'_>, options: Lines, drawn: &[Drawn<'_>]) -> Markup {
    let more = drawing.answer.series.len().saturating_sub(drawn.len());
    let name = |each: &Drawn<'_>| {
        let clicked = Clicked { labels: Some(&each.series.labels), cells: None };
        let links = drawing.links(&each.field.links, clicked);
        // A series without labels has no name of its own.
        let name = Some(each.series.name.as_str()).filter(|name| !name.is_empty()).unwrap_or("value");
        html! {
            i.b-key aria-hidden="true" {}
            // Other links are the same for all series: they are in the panel's head.
            @if let Some((_, url)) = links.iter().find(|(_, url)| url.contains("var-")) {
                a href=(url) { (name) }
            } @else { span { (name) } }
        }
    };
    let value = |each: &Drawn<'_>, value: Option<f64>| {
        value.map_or_else(|| "–".to_owned(), |value| each.field.show(value))
    };
    // What may scroll has to be reached by the keyboard.
    let long = drawn.iter().map(|each| each.series.name.chars().count() + 4).sum::<usize>() > 60;
    let scrolls = (drawn.len() > 4 || long).then_some("0");
    html! {
        @if options.table {
            div.b-legend tabindex=[scrolls] { table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Last" } th scope="col" { "Max" } } }
                tbody {
                    @for each in drawn {
                        tr class=(each.class) {
                            th scope="row" { (name(each)) }
                            td { (value(each, each.series.last())) }
                            td { (value(each, each.series.highest())) }
                        }
                    }
                }
            } @if more > 0 { p { "and " (more) " more" } } }
        } @else {
            ul.b-legend tabindex=[scrolls] {
                @for each in drawn { li class=(each.class) { (name(each)) } }
                @if more > 0 { li { "and " (more) " more" } }
            }
        }
    }
}

/// The picture in a sentence, for those who do not see it.
fn summary(drawing: &Drawing<'_>, drawn: &[Drawn<'_>]) -> String {
    let mut all = drawing.panel.title.clone();
    for each in drawn.iter().take(8) {
        if let Some(last) = each.series.last() {
            let _ = write!(all, "; {} {}", each.series.name, each.field.show(last));
        }
    }
    if drawn.len() > 8 {
        let _ = write!(all, "; and {} more", drawn.len() - 8);
    }
    all
}

/// The colour of a series that has one of its own, for scripts.
pub(super) fn fixed(drawn: &Drawn<'_>) -> Option<Colour> {
    drawn.series.last().and_then(|value| drawn.field.colour(value))
}
