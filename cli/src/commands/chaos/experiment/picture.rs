//! A measure as SVG that needs nothing else: a curve for each pass, a scale, and the time in which something was broken.

use std::fmt::Write as _;

use chassis_text::markup::content;

use super::curve::Curve;

/// Size of a picture, in its own unit.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
/// Room for the scale on the left, for the names of the curves at the top, on the right, and for the times below.
const LEFT: f64 = 64.0;
const TOP: f64 = 48.0;
const RIGHT: f64 = 12.0;
const BELOW: f64 = 24.0;
/// Width of a letter, at most on average; and of the line before a name, with the gaps around it.
const LETTER: f64 = 7.0;
const KEY: f64 = 46.0;
/// The least distance between two words below the picture.
const APART: f64 = 40.0;
/// With a protection, and without: told apart by their dashes, not by colour alone.
const STYLES: [&str; 2] = ["stroke=\"#1a7f37\"", "stroke=\"#cf222e\" stroke-dasharray=\"6 3\""];

/// One picture of a measure: each curve with its name.
pub(super) fn picture(title: &str, curves: &[(&str, &Curve)]) -> String {
    let scale = Scale::of(curves);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\"><title>{}</title><desc>{}</desc>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>",
        content(title),
        content(&described(curves))
    );
    band(&mut svg, &scale);
    grid(&mut svg, &scale);
    times(&mut svg, &scale);
    let mut at = LEFT;
    for ((name, curve), style) in curves.iter().zip(STYLES.iter().cycle()) {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(at, value)| format!("{:.1},{:.1}", scale.x(*at), scale.y(*value)))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke-width=\"1.5\" {style}/>\
             <path d=\"M{at} 12h24\" fill=\"none\" stroke-width=\"2\" {style}/>\
             <text x=\"{}\" y=\"16\">{}</text>",
            points.join(" "),
            at + 30.0,
            content(name)
        );
        at += KEY + LETTER * name.chars().count() as f64;
    }
    svg.push_str("</svg>\n");
    svg
}

/// From seconds and values to places.
struct Scale {
    from: f64,
    until: f64,
    highest: f64,
    /// When nothing was broken any more, in any pass.
    broken: f64,
}

impl Scale {
    fn of(curves: &[(&str, &Curve)]) -> Self {
        let all = || curves.iter().flat_map(|(_, curve)| &curve.points);
        let broken = curves.iter().map(|(_, curve)| curve.broken).fold(0.0, f64::max);
        let from = all().map(|(at, _)| *at).fold(0.0, f64::min);
        let until = all().map(|(at, _)| *at).fold(broken.max(1.0), f64::max);
        let highest = all().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        Self { from, until, highest, broken }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + (at - self.from) / (self.until - self.from) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BELOW - value.max(0.0) / self.highest * (HEIGHT - TOP - BELOW)
    }
}

/// The time in which something was broken.
fn band(svg: &mut String, scale: &Scale) {
    let (begun, ended) = (scale.x(0.0), scale.x(scale.broken));
    let base = HEIGHT - BELOW;
    let _ = write!(
        svg,
        "<rect x=\"{begun:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\" fill=\"#cf222e\" fill-opacity=\"0.08\"/>\
         <path d=\"M{begun:.1} {}V{base}\" fill=\"none\" stroke=\"#cf222e\"/>\
         <text x=\"{:.1}\" y=\"{}\" fill=\"#a40e26\">broken from here, for {:.0} s</text>",
        ended - begun,
        base - TOP,
        TOP - 12.0,
        begun + 4.0,
        TOP - 4.0,
        scale.broken
    );
}

/// Lines at nothing, at half of the highest value and at it, with their values.
fn grid(svg: &mut String, scale: &Scale) {
    let right = WIDTH - RIGHT;
    for value in [0.0, scale.highest / 2.0, scale.highest] {
        let y = scale.y(value);
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{right}\" fill=\"none\" stroke=\"#888\" stroke-opacity=\"0.4\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            number(value)
        );
    }
}

/// The moments that count, as far as there is room between their words.
fn times(svg: &mut String, scale: &Scale) {
    let end = WIDTH - RIGHT;
    let mut words = vec![(scale.x(0.0), 0.0, "middle"), (end, scale.until, "end")];
    let middle = scale.x(scale.broken);
    if middle - scale.x(0.0) > APART && end - middle > APART {
        words.push((middle, scale.broken, "middle"));
    }
    for (x, at, anchor) in words {
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{at:.0} s</text>",
            HEIGHT - 8.0
        );
    }
}

/// The curves in words, for those who cannot see them.
fn described(curves: &[(&str, &Curve)]) -> String {
    let words = curves.iter().map(|(name, curve)| {
        let highest = curve.points.iter().map(|(_, value)| *value).reduce(f64::max);
        match (curve.mean, highest) {
            (Some(mean), Some(highest)) => {
                format!("{name}: {} on average while broken, {} at most.", number(mean), number(highest))
            }
            _ => format!("{name}: no data."),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A number with about three digits.
fn number(value: f64) -> String {
    let decimals: usize = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)], broken: f64) -> Curve {
        Curve { points: points.to_vec(), mean: Some(1.0), broken }
    }

    /// The numbers in one attribute of all elements of a kind.
    fn attribute(svg: &str, element: &str, name: &str) -> Vec<String> {
        let elements = svg.split('<').filter(|part| part.starts_with(element));
        let value = |part: &str| {
            let (_, rest) = part.split_once(&format!(" {name}=\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        elements.filter_map(value).collect()
    }

    #[test]
    fn both_curves_are_drawn_inside_the_picture() {
        let with = curve(&[(-15.0, 0.0), (10.0, 2.0)], 20.0);
        let without = curve(&[(-15.0, 0.0), (30.0, 40.0)], 21.0);
        let svg = picture("failed <calls>", &[("with", &with), ("without", &without)]);
        assert!(
            svg.contains("<title>failed &lt;calls&gt;</title>") && svg.contains("stroke-dasharray"),
            "{svg}"
        );
        let curves = attribute(&svg, "polyline", "points");
        assert_eq!(curves.len(), 2);
        // The first point of both, and the highest one of all.
        assert!(curves[0].starts_with("64.0,196.0 ") && curves[1].ends_with(" 628.0,48.0"), "{curves:?}");
        for point in curves.iter().flat_map(|curve| curve.split(' ')) {
            let (x, y) = point.split_once(',').unwrap();
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            assert!((LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BELOW).contains(&y), "{point}");
        }
    }

    #[test]
    fn the_time_in_which_something_was_broken_is_marked() {
        let with = curve(&[(-15.0, 0.0), (40.0, 2.0)], 25.0);
        let svg = picture("x", &[("with", &with)]);
        let scale = Scale::of(&[("with", &with)]);
        let (begun, ended) = (scale.x(0.0), scale.x(25.0));
        // The second one: the first is the ground.
        assert_eq!(attribute(&svg, "rect", "x"), [format!("{begun:.1}")]);
        assert_eq!(attribute(&svg, "rect", "width")[1], format!("{:.1}", ended - begun));
        assert!(svg.contains("broken from here, for 25 s"), "{svg}");
        for word in [">0 s<", ">25 s<", ">40 s<"] {
            assert_eq!(svg.matches(word).count(), 1, "{word}: {svg}");
        }
        // Two words in one place cannot be read.
        let short = curve(&[(-15.0, 0.0), (400.0, 2.0)], 5.0);
        assert!(!picture("x", &[("with", &short)]).contains(">5 s<"));
    }

    #[test]
    fn the_names_of_the_curves_do_not_meet() {
        let one = curve(&[(0.0, 1.0)], 1.0);
        let long = "with circuit-breaker of order-api";
        let svg = picture("x", &[(long, &one), ("without", &one)]);
        let place = |name: &str| -> f64 {
            let before = svg.split(&format!(">{name}</text>")).next().unwrap();
            let (_, x) = before.rsplit_once("<text x=\"").unwrap();
            x.split('"').next().unwrap().parse().unwrap()
        };
        assert!(place("without") >= place(long) + LETTER * long.len() as f64, "{svg}");
        assert!(place("without") + LETTER * 7.0 < WIDTH, "{svg}");
    }

    #[test]
    fn no_data_is_said_and_drawn() {
        let nothing = Curve { points: Vec::new(), mean: None, broken: 0.0 };
        let svg = picture("x", &[("with", &nothing)]);
        assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.contains("with: no data."), "{svg}");
    }

    #[test]
    fn a_number_has_about_three_digits() {
        let of = |values: &[f64]| values.iter().map(|value| number(*value)).collect::<Vec<_>>();
        assert_eq!(
            of(&[0.0, 0.0414, 0.5, 1.25, 20.0, 33.33, 512.4]),
            ["0", "0.041", "0.5", "1.25", "20", "33.3", "512"]
        );
    }
}
