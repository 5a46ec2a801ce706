//! Last values as big numbers, each with its curve.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Drawing, MOST_SERIES, whole};
use crate::{
    data::Series,
    model::{Colour, Stat},
    scope::Clicked,
};

pub(super) fn draw(drawing: &Drawing<'_>, options: Stat) -> Markup {
    let series = &drawing.answer.series;
    // One number needs no name, unless the panel says so: its title names it.
    let named = options.named || series.len() > 1;
    html! {
        div.b-stats data-count=(series.len().min(12)) {
            @for each in series.iter().take(MOST_SERIES) { (one(drawing, options, each, named)) }
        }
    }
}

fn one(drawing: &Drawing<'_>, options: Stat, series: &Series, named: bool) -> Markup {
    let field = drawing.panel.field(&series.name);
    let last = series.last();
    let colour = last.and_then(|value| field.colour(value)).unwrap_or(Colour::Text);
    let value = if options.coloured { colour } else { Colour::Text };
    let text = last.map_or_else(|| "–".to_owned(), |value| field.show(value));
    let links = drawing.links(&field.links, Clicked { labels: Some(&series.labels), cells: None });
    html! {
        div class={"b-stat k-" (colour.name())} {
            (curve(series, drawing.span))
            @if named { span.b-stat-name { (series.name) } }
            @if let [(title, url)] = &links[..] {
                a class={"b-stat-value k-" (value.name())} href=(url) title=(title) { (text) }
            } @else {
                span class={"b-stat-value k-" (value.name())} { (text) }
            }
        }
    }
}

/// The curve behind a number: its shape, without a scale.
fn curve(series: &Series, (from, until): (f64, f64)) -> Markup {
    let values = || series.points.iter().map(|(_, value)| *value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if series.points.len() < 2 {
        return html! {};
    }
    let height = if high > low { high - low } else { 1.0 };
    let mut line = String::new();
    for (at, (time, value)) in series.points.iter().enumerate() {
        let x = whole((time - from) / (until - from).max(1.0) * 200.0);
        let y = whole(38.0 - (value - low) / height * 34.0);
        let _ = write!(line, "{}{x},{y}", if at == 0 { "M" } else { " L" });
    }
    let first = series.points.first().map_or(0.0, |(time, _)| *time);
    let start = whole((first - from) / (until - from).max(1.0) * 200.0);
    html! {
        svg.b-curve viewBox="0 0 200 40" preserveAspectRatio="none" aria-hidden="true" {
            path.b-fill fill-opacity="0.14" d={(line) " V40 H" (start) "z"} {}
            path.b-line d=(line) {}
        }
    }
}
