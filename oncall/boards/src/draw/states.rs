//! States over time: a band per series, in the colours and words of its values.

use maud::{Markup, html};

use super::{Drawing, MOST_SERIES, percent, time_axis};
use crate::{
    data::Series,
    model::{Colour, Field},
};

/// From this share of the width on, a band has room for its word.
const ROOM: f64 = 0.12;

/// A time during which the state did not change.
struct Run {
    from: f64,
    until: f64,
    value: f64,
}

pub(super) fn draw(drawing: &Drawing<'_>, fill: u8) -> Markup {
    let field = &drawing.panel.field;
    html! {
        div.b-states {
            div.b-bands tabindex="0" {
                @for series in drawing.answer.series.iter().take(MOST_SERIES) {
                    span.b-band-name title=(series.name) { (series.name) }
                    (band(drawing, &drawing.panel.field(&series.name), series, fill))
                }
                span {}
                (time_axis(drawing.span, drawing.panel.place.w))
            }
            ul.b-legend {
                @for word in &field.words {
                    li class={"k-" (word.colour.unwrap_or(Colour::Text).name())} {
                        i.b-key aria-hidden="true" {} span { (word.text) }
                    }
                }
            }
        }
    }
}

fn band(drawing: &Drawing<'_>, field: &Field, series: &Series, fill: u8) -> Markup {
    let runs = runs(series, drawing.step);
    let last = series.last().map_or_else(String::new, |value| field.show(value));
    html! {
        svg.b-band role="img" aria-label={(series.name) ": " (last) ", changes: " (runs.len().saturating_sub(1))} {
            @for run in &runs {
                @let (from, width) = (drawing.share(run.from).max(0.0), (run.until - run.from) / (drawing.span.1 - drawing.span.0).max(1.0));
                g class={"k-" (field.colour(run.value).unwrap_or(Colour::Text).name())} {
                    title { (field.show(run.value)) }
                    rect.b-fill x=(percent(from)) y="0" width=(percent(width)) height="100%" fill-opacity=(f64::from(fill) / 100.0) {}
                }
                @if width > ROOM {
                    text x=(percent(from + 0.01)) y="50%" dominant-baseline="middle" { (field.show(run.value)) }
                }
            }
        }
    }
}

/// A state lasts until the next sample; a gap ends it.
fn runs(series: &Series, step: f64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (time, value) in &series.points {
        match runs.last_mut() {
            Some(run) if run.value == *value && *time - run.until <= step * 0.5 => run.until = time + step,
            _ => runs.push(Run { from: *time, until: time + step, value: *value }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    #[test]
    fn equal_states_are_one_band_and_a_gap_ends_it() {
        let points = vec![(0.0, 0.0), (5.0, 0.0), (10.0, 2.0), (30.0, 2.0)];
        let series = Series { name: String::new(), query: 0, labels: Labels::new(), points };
        let found: Vec<_> = runs(&series, 5.0).iter().map(|run| (run.from, run.until, run.value)).collect();
        assert_eq!(found, [(0.0, 10.0, 0.0), (10.0, 15.0, 2.0), (30.0, 35.0, 2.0)]);
    }
}
