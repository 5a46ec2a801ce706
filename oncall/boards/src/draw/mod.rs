//! Panels as HTML and SVG. Without inline styles, which a strict content security policy forbids: colours are classes
//! (`k-green`, and `p1` to `p6` for series), positions are attributes of SVG. Texts are never stretched: a plot is a
//! stretched SVG of lines between unstretched ones of texts.
//!
//! The stylesheet is `boards.css` of the control room.

mod axis;
mod chart;
mod gauge;
mod graph;
mod heatmap;
mod lines;
mod logs;
mod stat;
mod states;
mod table;

use maud::{Markup, html};

pub use self::{
    axis::{Axis, times},
    chart::{Chart, ChartMark, Dot, Limit, Line},
    graph::Call,
    lines::lines,
    logs::{Entry, entries},
};
use crate::{
    data::{Exemplar, Series},
    model::{Colour, Kind, Panel},
    scope::{Clicked, Scope},
};

/// Most series that a panel draws.
const MOST_SERIES: usize = 60;
/// Colours that can be told apart: `--series-1` to `--series-6` of the stylesheet.
const PALETTE: usize = 6;
/// Width and height of the coordinates of a plot.
const WIDE: f64 = 2000.0;
const HIGH: f64 = 1000.0;

/// A mark in time, on every panel that has a time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Seconds since 1970.
    pub at: f64,
    /// What happened.
    pub text: String,
    /// Where to read more.
    pub url: Option<String>,
    /// Its colour.
    pub colour: Colour,
}

/// What a panel's queries answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Values.
    pub series: Vec<Series>,
    /// Measured requests with their traces.
    pub exemplars: Vec<Exemplar>,
    /// Lines of logs, newest first.
    pub lines: Vec<Entry>,
    /// Who calls whom.
    pub calls: Vec<Call>,
}

/// A panel with all that it takes to draw it.
#[derive(Debug, Clone, Copy)]
pub struct Drawing<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// Time range and variables.
    pub scope: &'a Scope,
    /// Seconds between two points.
    pub step: f64,
    /// Start and end of the data, in seconds since 1970.
    pub span: (f64, f64),
    /// What the queries answered.
    pub answer: &'a Answer,
    /// Marks in time.
    pub marks: &'a [Mark],
    /// Address of the same data as JSON, for charts.
    pub json: Option<&'a str>,
}

/// How many points a panel of this size and kind can show.
#[must_use]
pub fn points(panel: &Panel) -> u32 {
    match panel.kind {
        Kind::Lines(_) => panel.place.w * 30,
        Kind::Heatmap(_) => panel.place.w * 8,
        _ => 150,
    }
}

impl Drawing<'_> {
    /// The body of the panel. Text panels draw nothing here: their Markdown is the page's.
    #[must_use]
    pub fn draw(&self) -> Markup {
        let answer = self.answer;
        match &self.panel.kind {
            Kind::Logs if answer.lines.is_empty() => {
                nothing("No lines", "Nothing was logged that matches, in this time range.")
            }
            Kind::Graph if answer.calls.is_empty() => {
                nothing("No calls", "No trace in this time range has a call from one service to another.")
            }
            Kind::Logs => entries(&answer.lines),
            Kind::Graph => graph::draw(&answer.calls),
            Kind::Text(_) => html! {},
            Kind::Table(changes) => table::draw(self, changes),
            _ if answer.series.iter().all(|series| series.points.is_empty()) => {
                nothing("No data", "The query answers nothing for this time range and these variables.")
            }
            Kind::Lines(options) => lines::draw(self, *options),
            Kind::Stat(options) => stat::draw(self, *options),
            Kind::Gauge => gauge::draw(self),
            Kind::Heatmap(options) => heatmap::draw(self, *options),
            Kind::States { fill } => states::draw(self, *fill),
        }
    }

    /// The data of a panel of lines, for a chart that scripts draw; nothing for other kinds.
    #[must_use]
    pub fn chart(&self) -> Option<Chart> {
        match &self.panel.kind {
            Kind::Lines(options) => Some(chart::of(self, *options)),
            _ => None,
        }
    }

    /// The addresses of a series' links.
    fn links(&self, links: &[crate::model::Link], clicked: Clicked<'_>) -> Vec<(String, String)> {
        links.iter().map(|link| (link.title.clone(), self.scope.url(&link.url, clicked))).collect()
    }

    /// The marks of the time range. What has just happened is after the last point and belongs to it.
    fn visible(&self) -> impl Iterator<Item = &Mark> {
        let (from, until) = self.span;
        let end = until + self.step;
        self.marks.iter().filter(move |mark| mark.at >= from && mark.at < end)
    }

    /// Where a time is on the time axis: 0 at the start, 1 at the end.
    fn share(&self, at: f64) -> f64 {
        let (from, until) = self.span;
        (at - from) / (until - from).max(1.0)
    }
}

/// A panel that has nothing to show.
#[must_use]
pub fn nothing(what: &str, why: &str) -> Markup {
    html! { div.b-nothing { strong { (what) } span { (why) } } }
}

/// The class of the `at`th series: its fixed colour, or one of the palette; after those they begin again, dashed.
fn series_class(fixed: Option<Colour>, at: usize) -> String {
    match fixed {
        Some(colour) => format!("k-{}", colour.name()),
        None if at < PALETTE => format!("p{}", at + 1),
        None => format!("p{} again", at % PALETTE + 1),
    }
}

/// A share as the coordinate of an unstretched SVG.
fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// The texts below a plot.
fn time_axis(span: (f64, f64), columns: u32) -> Markup {
    let most = (columns / 2).clamp(2, 12);
    html! {
        svg.b-x aria-hidden="true" {
            @for (share, text) in times(span, most) {
                text x=(percent(share)) y="14" text-anchor="middle" { (text) }
            }
        }
    }
}

/// Vertical lines where something happened.
fn mark_lines(drawing: &Drawing<'_>) -> Markup {
    html! {
        @for mark in drawing.visible() {
            @let x = whole(drawing.share(mark.at).min(1.0) * WIDE);
            @let line = html! {
                g class={"b-mark k-" (mark.colour.name())} {
                    title { (mark.text) }
                    path.b-hit d={"M" (x) ",0v1000"} {}
                    path d={"M" (x) ",0v1000"} {}
                }
            };
            @if let Some(url) = &mark.url { a href=(url) tabindex="-1" aria-label=(mark.text) { (line) } } @else { (line) }
        }
    }
}

/// Dots that lead to traces: `height` says where a value is, 1 at the top.
fn dots(drawing: &Drawing<'_>, height: impl Fn(f64) -> f64, show: impl Fn(f64) -> String) -> Markup {
    html! {
        @for exemplar in &drawing.answer.exemplars {
            @let (x, y) = (whole(drawing.share(exemplar.at) * WIDE), whole((1.0 - height(exemplar.value).clamp(0.0, 1.0)) * HIGH));
            a.b-dot href={"/explore/traces/" (exemplar.trace)} tabindex="-1" aria-label={(show(exemplar.value)) ": open the trace"} {
                title { (show(exemplar.value)) ": open the trace " (exemplar.trace) }
                path d={"M" (x) "," (y) "h.01"} {}
            }
        }
    }
}

/// A coordinate.
fn whole(value: f64) -> i64 {
    value.round() as i64
}
