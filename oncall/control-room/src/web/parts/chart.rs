//! Curves as SVG that need no script: a spark beside a number, a bar for a share, and the picture that `assets/room.js` replaces
//! by an interactive one. No text inside, so that nothing is squeezed: numbers are beside the picture.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::Tone;

/// A curve over time.
pub(crate) struct Line<'l> {
    /// What it shows, with the window: for the caption and for screen readers.
    pub(crate) title: &'l str,
    /// Times in seconds and values; not finite where nothing was measured.
    pub(crate) points: &'l [(f64, f64)],
    /// A limit, dashed.
    pub(crate) threshold: Option<f64>,
    /// How a value is written.
    pub(crate) show: fn(f64) -> String,
}

/// A small curve without axes; `label` says what it is, in words and numbers.
pub(crate) fn spark(points: &[(f64, f64)], label: &str) -> Markup {
    let frame = Frame::of(points, None, 120.0, 28.0);
    html! {
        svg.spark viewBox="0 0 120 28" preserveAspectRatio="none" role="img" aria-label=(label) {
            title { (label) }
            path d=(frame.path(points)) vector-effect="non-scaling-stroke" {}
        }
    }
}

/// A share of 1 as a bar; the number is beside it.
pub(crate) fn meter(share: f64, tone: Tone) -> Markup {
    let width = if share.is_finite() { (share * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    html! {
        svg class={ "meter " (tone.class()) } viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="6" {}
            rect.fill width=(format!("{width:.1}")) height="6" {}
        }
    }
}

/// A curve with its caption. The script redraws it from the JSON at `url`, with axes and a cross-hair.
pub(crate) fn chart(id: &str, url: &str, line: &Line<'_>) -> Markup {
    let frame = Frame::of(line.points, line.threshold, 720.0, 160.0);
    let mut measured = line.points.iter().map(|point| point.1).filter(|value| value.is_finite());
    let least = measured.clone().min_by(f64::total_cmp);
    let most = measured.clone().max_by(f64::total_cmp);
    let words = match (least, most, measured.next_back()) {
        (Some(least), Some(most), Some(last)) => {
            let (least, most, last) = ((line.show)(least), (line.show)(most), (line.show)(last));
            format!("least {least} · most {most} · last {last}")
        }
        _ => "no data in this window".to_owned(),
    };
    let threshold =
        line.threshold.map(|value| format!(" · limit {}", (line.show)(value))).unwrap_or_default();
    html! {
        figure.chart id=(id) data-chart=(url) {
            figcaption { strong { (line.title) } " " span.muted { (words) (threshold) } }
            div.plot {
                svg viewBox="0 0 720 160" preserveAspectRatio="none" role="img" aria-label={ (line.title) ": " (words) } {
                    @if let Some(value) = line.threshold {
                        line.limit x1="0" x2="720" y1=(frame.y(value)) y2=(frame.y(value)) vector-effect="non-scaling-stroke" {}
                    }
                    path.curve d=(frame.path(line.points)) vector-effect="non-scaling-stroke" {}
                }
            }
        }
    }
}

/// Two curves of one thing, to be compared.
pub(crate) struct Two<'l> {
    /// What they show, with the window.
    pub(crate) title: &'l str,
    /// What the drawn-through and the dashed one are called.
    pub(crate) names: [&'l str; 2],
    /// Times in seconds and values of each.
    pub(crate) points: [&'l [(f64, f64)]; 2],
    /// How a value is written.
    pub(crate) show: fn(f64) -> String,
}

/// Two curves in one frame, with a caption that says which is which. It needs no script.
pub(crate) fn two(id: &str, two: &Two<'_>) -> Markup {
    let [first, second] = two.points;
    let mut both: Vec<(f64, f64)> = first.iter().chain(second).copied().collect();
    both.sort_by(|one, next| one.0.total_cmp(&next.0));
    let frame = Frame::of(&both, None, 720.0, 160.0);
    let words = |name: &str, drawn: &str, points: &[(f64, f64)]| {
        let values = || points.iter().map(|point| point.1).filter(|value| value.is_finite());
        match (values().max_by(f64::total_cmp), values().next_back()) {
            (Some(most), Some(last)) => {
                format!("{name} ({drawn}): most {}, last {}", (two.show)(most), (two.show)(last))
            }
            _ => format!("{name} ({drawn}): nothing was measured"),
        }
    };
    let [one, other] = two.names;
    let (solid, dashed) = (words(one, "solid", first), words(other, "dashed", second));
    html! {
        figure.chart id=(id) {
            figcaption { strong { (two.title) } " " span.muted { (solid) " · " (dashed) } }
            div.plot {
                svg viewBox="0 0 720 160" preserveAspectRatio="none" role="img"
                    aria-label={ (two.title) ": " (solid) "; " (dashed) } {
                    path class="curve other" d=(frame.path(second)) vector-effect="non-scaling-stroke" {}
                    path.curve d=(frame.path(first)) vector-effect="non-scaling-stroke" {}
                }
            }
        }
    }
}

/// From values to places.
struct Frame {
    from: f64,
    until: f64,
    low: f64,
    high: f64,
    width: f64,
    height: f64,
}

impl Frame {
    fn of(points: &[(f64, f64)], threshold: Option<f64>, width: f64, height: f64) -> Self {
        let values = || points.iter().map(|point| point.1).chain(threshold).filter(|value| value.is_finite());
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        // From zero where that squeezes nothing, so that noise does not look like news.
        let low = if low > 0.0 && low < high * 0.9 { 0.0 } else { low };
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
        let from = points.first().map_or(0.0, |point| point.0);
        let until = points.last().map_or(1.0, |point| point.0);
        Self { from, until: until.max(from + 1e-9), low, high, width, height }
    }

    fn x(&self, at: f64) -> f64 {
        round((at - self.from) / (self.until - self.from) * self.width)
    }

    /// A pixel of room above and below, for the width of the line.
    fn y(&self, value: f64) -> f64 {
        round(1.0 + (self.high - value) / (self.high - self.low) * (self.height - 2.0))
    }

    /// Lines between neighbours that were measured; a gap is a gap.
    fn path(&self, points: &[(f64, f64)]) -> String {
        let (mut path, mut pen) = (String::with_capacity(points.len() * 12), 'M');
        for (at, value) in points {
            if value.is_finite() {
                let _ = write!(path, "{pen}{} {}", self.x(*at), self.y(*value));
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        path
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::percent;
    use super::*;

    #[test]
    fn a_spark_goes_from_the_lower_left_to_the_upper_right_when_values_rise() {
        let shown = spark(&[(0.0, 0.0), (1.0, 5.0), (2.0, 10.0)], "rate").into_string();
        assert!(shown.contains("d=\"M0 27L60 14L120 1\""), "{shown}");
        assert!(shown.contains("aria-label=\"rate\""));
    }

    #[test]
    fn what_was_not_measured_is_a_gap_and_nothing_at_all_is_said() {
        let shown = spark(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)], "x").into_string();
        assert!(shown.contains("M0 14M120 14") && !shown.contains("NaN"), "{shown}");
        let none = Line { title: "errors", points: &[], threshold: None, show: percent };
        assert!(chart("c", "/c.json", &none).into_string().contains("no data in this window"));
    }

    #[test]
    fn a_chart_says_its_numbers_in_words() {
        let points = [(0.0, 1.0), (1.0, 0.5), (2.0, 0.999)];
        let line = Line { title: "Availability", points: &points, threshold: Some(0.999), show: percent };
        let shown = chart("sli", "/sli.json", &line).into_string();
        assert!(
            shown.contains("least 50\u{a0}% · most 100\u{a0}% · last 99.90\u{a0}% · limit 99.90\u{a0}%"),
            "{shown}"
        );
        assert!(shown.contains("data-chart=\"/sli.json\"") && shown.contains("class=\"limit\""), "{shown}");
    }

    #[test]
    fn a_bar_never_leaves_its_track() {
        assert!(meter(1.7, Tone::Good).into_string().contains("width=\"100.0\""));
        assert!(meter(f64::NAN, Tone::Bad).into_string().contains("width=\"0.0\""));
    }
}
