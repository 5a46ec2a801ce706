//! The last value on a dial, with its steps around it.

use maud::{Markup, html};

use super::Drawing;
use crate::model::{Colour, Field};

/// Where the dial begins and ends: degrees from the top, clockwise.
const ENDS: (f64, f64) = (-120.0, 120.0);
/// Its centre.
const CENTRE: (f64, f64) = (100.0, 96.0);

pub(super) fn draw(drawing: &Drawing<'_>) -> Markup {
    html! {
        div.b-gauges {
            @for series in drawing.answer.series.iter().take(6) {
                @if let Some(value) = series.last() { (dial(&drawing.panel.field(&series.name), &series.name, value)) }
            }
        }
    }
}

fn dial(field: &Field, name: &str, value: f64) -> Markup {
    let (low, high) = (field.min.unwrap_or(0.0), field.max.unwrap_or(100.0));
    let share = |value: f64| ((value - low) / (high - low).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    let colour = field.colour(value).unwrap_or(Colour::Text);
    let text = field.show(value);
    // Each step from its own start to the start of the next.
    let ends = field.steps.iter().skip(1).map(|step| step.from).chain([high]);
    let steps = field.steps.iter().zip(ends).map(|(step, end)| (step.from.max(low), end, step.colour));
    html! {
        svg.b-gauge viewBox="0 0 200 156" role="img" aria-label={(name) ": " (text)} {
            path.b-dial d=(arc(78.0, 0.0, 1.0)) {}
            g class={"k-" (colour.name())} { path.b-dial-value d=(arc(78.0, 0.0, share(value))) {} }
            @for (from, end, colour) in steps {
                g class={"k-" (colour.name())} { path.b-dial-step d=(arc(92.0, share(from), share(end))) {} }
            }
            text class={"b-dial-text k-" (colour.name())} x="100" y="104" text-anchor="middle" { (text) }
            text.b-dial-name x="100" y="126" text-anchor="middle" { (name) }
        }
    }
}

/// An arc on a circle of this radius, from one share of the dial to another.
fn arc(radius: f64, from: f64, until: f64) -> String {
    let point = |share: f64| {
        let angle = (ENDS.0 + share * (ENDS.1 - ENDS.0)).to_radians();
        format!("{:.1},{:.1}", CENTRE.0 + radius * angle.sin(), CENTRE.1 - radius * angle.cos())
    };
    let large = u8::from((until - from) * (ENDS.1 - ENDS.0) > 180.0);
    format!("M{}A{radius},{radius} 0 {large} 1 {}", point(from), point(until))
}
