//! The service level indicator as an SVG of fixed size: readable in light and dark, without script, with a title and a
//! description for screen readers.

use std::fmt::Write as _;

use chassis_text::markup::content;
use chrono::{DateTime, Utc};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 24.0;

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: DateTime<Utc>,
    /// The share of good events, 0 to 1; not finite where nothing was measured.
    pub value: f64,
}

/// An indicator over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Which indicator.
    pub title: String,
    /// The promised share, 0 to 1.
    pub objective: f64,
    /// Values, oldest first.
    pub points: Vec<Point>,
    /// Begin of the incident, shaded.
    pub from: DateTime<Utc>,
    /// Its end; the end of the curve, if it is not over.
    pub until: Option<DateTime<Utc>>,
}

impl Curve {
    fn measured(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.value.is_finite())
    }

    /// The curve in a sentence, for those who cannot see it.
    #[must_use]
    pub fn describe(&self) -> String {
        let worst = self.measured().min_by(|one, other| one.value.total_cmp(&other.value));
        match (worst, self.measured().last()) {
            (Some(worst), Some(last)) => format!(
                "{}: {} at worst, at {}; {} at the end. The objective is {}.",
                self.title,
                percent(worst.value),
                worst.at.format("%H:%M:%S UTC"),
                percent(last.value),
                percent(self.objective)
            ),
            _ => format!("{}: no data.", self.title),
        }
    }

    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let scale = Scale::of(self);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-labelledby=\"title description\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
             <title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n<style>{STYLE}</style>\n",
            content(&self.title),
            content(&self.describe())
        );
        let (from, until) = (scale.x(self.from), self.until.map_or(WIDTH - RIGHT, |until| scale.x(until)));
        let (top, height) = (TOP, HEIGHT - TOP - BOTTOM);
        let _ = writeln!(
            svg,
            "<rect class=\"incident\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            (until - from).max(0.0)
        );
        for (value, class) in [(scale.low, "grid"), (1.0, "grid"), (self.objective, "objective")] {
            let (y, right) = (scale.y(value), WIDTH - RIGHT);
            let _ = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
                 <text class=\"{class}-text\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                percent(value)
            );
        }
        for (at, anchor) in [(scale.from, "start"), (scale.until, "end")] {
            let _ = writeln!(
                svg,
                "<text class=\"grid-text\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                scale.x(at),
                HEIGHT - 6.0,
                at.format("%H:%M:%S UTC")
            );
        }
        let _ = writeln!(svg, "<path class=\"curve\" d=\"{}\"/>", self.path(&scale));
        svg.push_str("</svg>\n");
        svg
    }

    /// Lines between neighbours that were measured; a gap is a gap.
    fn path(&self, scale: &Scale) -> String {
        let (mut path, mut pen) = (String::new(), 'M');
        for point in &self.points {
            if point.value.is_finite() {
                let _ = write!(path, "{pen}{:.1} {:.1}", scale.x(point.at), scale.y(point.value));
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        path
    }
}

const STYLE: &str = "svg{--ink:#1f2328;--muted:#59636e;--line:#0969da;--bad:#d1242f;--shade:#d1242f1a}\
                     @media(prefers-color-scheme:dark){svg{--ink:#f0f6fc;--muted:#9198a1;--line:#4493f8;--bad:#f85149;--shade:#f851492a}}\
                     .curve{fill:none;stroke:var(--line);stroke-width:1.5}.grid{stroke:var(--muted);stroke-opacity:.3}\
                     .objective{stroke:var(--bad);stroke-dasharray:4 3}.incident{fill:var(--shade)}\
                     .grid-text{fill:var(--muted)}.objective-text{fill:var(--bad)}";

/// From values to places.
struct Scale {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    low: f64,
}

impl Scale {
    fn of(curve: &Curve) -> Self {
        let from = curve.points.first().map_or(curve.from, |point| point.at.min(curve.from));
        let until =
            curve.points.last().map_or(curve.from, |point| point.at).max(curve.until.unwrap_or(curve.from));
        let low = curve.measured().map(|point| point.value).fold(curve.objective, f64::min);
        // Room below the worst value, and never a flat picture.
        let low = (low - (1.0 - low) * 0.1).clamp(0.0, 0.999_99);
        Self { from, until, low }
    }

    fn x(&self, at: DateTime<Utc>) -> f64 {
        let all = (self.until - self.from).as_seconds_f64().max(1.0);
        let share = ((at - self.from).as_seconds_f64() / all).clamp(0.0, 1.0);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (1.0 - self.low)).clamp(0.0, 1.0);
        TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
    }
}

/// A share as a percentage, with as many decimals as it needs: `99.9 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> Curve {
        let start: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |seconds| start + chrono::TimeDelta::seconds(seconds);
        let points =
            values.iter().zip(0..).map(|(value, n)| Point { at: at(n * 10), value: *value }).collect();
        Curve {
            title: "order <availability>".to_owned(),
            objective: 0.999,
            points,
            from: at(10),
            until: Some(at(30)),
        }
    }

    #[test]
    fn the_picture_has_the_curve_the_objective_the_incident_and_words() {
        let curve = curve(&[1.0, 0.5, 0.8, 1.0]);
        let svg = curve.svg();
        assert!(svg.contains("<title id=\"title\">order &lt;availability&gt;</title>"), "{svg}");
        assert!(
            svg.contains("50 % at worst, at 12:00:10 UTC; 100 % at the end. The objective is 99.9 %."),
            "{svg}"
        );
        assert_eq!(svg.matches("class=\"objective\"").count(), 1);
        let path = svg.split("class=\"curve\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(path.matches(['M', 'L']).count(), 4, "{path}");
        assert!(path.starts_with("M64.0 12.0L"), "it begins at the top left: {path}");
    }

    #[test]
    fn what_was_not_measured_is_a_gap() {
        let svg = curve(&[1.0, f64::NAN, f64::INFINITY, 1.0]).svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let path = svg.split("class=\"curve\" d=\"").nth(1).unwrap();
        assert_eq!(path.split('"').next().unwrap().matches('M').count(), 2);
    }

    #[test]
    fn no_data_is_said_and_drawn() {
        assert_eq!(curve(&[]).describe(), "order <availability>: no data.");
        assert!(curve(&[]).svg().ends_with("</svg>\n"));
    }
}
