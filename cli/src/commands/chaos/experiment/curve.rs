//! Curves of what was measured in the passes, as SVG that needs nothing else.

use std::fmt::Write as _;

use anyhow::Result;
use chrono::TimeDelta;
use observe::Prometheus;
use serde::Serialize;

use super::{file::Measure, pass::Pass};

/// Seconds that are drawn before and after what was broken.
const AROUND: i64 = 15;
/// Size of a picture, in its own unit.
const SIZE: (f64, f64) = (640.0, 200.0);
/// Room for the words on the left, at the top, on the right and below.
const ROOM: (f64, f64, f64, f64) = (64.0, 28.0, 12.0, 24.0);
/// With a protection, and without: told apart by their dashes, not by colour alone.
const STYLES: [&str; 2] = ["stroke=\"#1a7f37\"", "stroke=\"#cf222e\" stroke-dasharray=\"6 3\""];

/// What was measured in one pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Curve {
    /// Seconds after the first step, and the value.
    pub(super) points: Vec<(f64, f64)>,
    /// On average while something was broken; absent without a sample.
    pub(super) mean: Option<f64>,
}

/// Asks for a measure over a pass.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn curve(prometheus: &Prometheus, measure: &Measure, pass: &Pass) -> Result<Curve> {
    let around = TimeDelta::seconds(AROUND);
    let series = prometheus.query_range(&measure.query, pass.from - around, pass.until + around, 1.0).await?;
    let from = pass.from.timestamp_millis() as f64 / 1000.0;
    let until = (pass.until - pass.from).as_seconds_f64();
    let points = series.first().into_iter().flat_map(observe::prometheus::Series::points);
    let points: Vec<(f64, f64)> =
        points.map(|(at, value)| (at - from, value)).filter(|(_, value)| value.is_finite()).collect();
    let broken: Vec<f64> =
        points.iter().filter(|(at, _)| (0.0..=until).contains(at)).map(|(_, value)| *value).collect();
    let mean = (!broken.is_empty()).then(|| broken.iter().sum::<f64>() / broken.len() as f64);
    Ok(Curve { points, mean })
}

/// One picture of a measure: each curve with its name.
pub(super) fn picture(title: &str, curves: &[(&str, &Curve)]) -> String {
    let (width, height) = SIZE;
    let (left, top, right, below) = ROOM;
    let all = || curves.iter().flat_map(|(_, curve)| &curve.points);
    let from = all().map(|(at, _)| *at).fold(0.0, f64::min);
    let until = all().map(|(at, _)| *at).fold(1.0, f64::max);
    let highest = all().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let x = |at: f64| left + (at - from) / (until - from) * (width - left - right);
    let y = |value: f64| height - below - value.max(0.0) / highest * (height - top - below);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\"><title>{title}</title>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>",
        title = escape(title)
    );
    let base = y(0.0);
    let _ = write!(svg, "<path d=\"M{left} {top}V{base}H{}\" fill=\"none\" stroke=\"#888\"/>", width - right);
    let _ = write!(
        svg,
        "<text x=\"4\" y=\"{}\">{}</text><text x=\"4\" y=\"{base}\">0</text>",
        top + 8.0,
        number(highest)
    );
    let last = format!("{until:.0} s");
    let words = [(x(0.0), "0 s", "middle"), (width - right, last.as_str(), "end")];
    for (at, word, anchor) in words {
        let _ =
            write!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{word}</text>", height - 8.0);
    }
    for (index, (name, curve)) in curves.iter().enumerate() {
        let style = STYLES[index % STYLES.len()];
        let points: Vec<String> =
            curve.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke-width=\"1.5\" {style}/>",
            points.join(" ")
        );
        let at = left + 180.0 * index as f64;
        let _ = write!(
            svg,
            "<path d=\"M{at} 12h24\" fill=\"none\" stroke-width=\"2\" {style}/>\
             <text x=\"{}\" y=\"16\">{}</text>",
            at + 30.0,
            escape(name)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_curves_are_drawn_inside_the_picture() {
        let with = Curve { points: vec![(-15.0, 0.0), (10.0, 2.0)], mean: Some(1.0) };
        let without = Curve { points: vec![(-15.0, 0.0), (30.0, 40.0)], mean: Some(20.0) };
        let svg = picture("failed <calls>", &[("with", &with), ("without", &without)]);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("failed &lt;calls&gt;") && svg.contains("stroke-dasharray"), "{svg}");
        // The first point of both, and the highest one of all.
        assert!(svg.contains("points=\"64.0,176.0 ") && svg.contains(" 628.0,28.0\""), "{svg}");
        let nothing = Curve { points: Vec::new(), mean: None };
        assert!(!picture("x", &[("with", &nothing)]).contains("NaN"));
    }
}
