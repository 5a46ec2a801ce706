//! A flame graph as one SVG file without a script: the width of a box is the share of samples in which the function, or what it called,
//! ran; what it called is above it. A browser shows the full name of the box under the pointer. Pure.

use std::{collections::BTreeMap, fmt::Write as _};

use chassis_text::markup::attribute;

use super::{OURS, stacks::Stacks};

/// Sizes in pixels.
const WIDTH: f64 = 1_400.0;
const ROW: f64 = 17.0;
const TITLE: f64 = 32.0;
/// A box that is narrower is left out.
const NARROWEST: f64 = 0.3;
/// Width of a character; a box shows its name if three fit.
const CHARACTER: f64 = 6.6;

/// A function in one place of the stacks.
#[derive(Debug, Default)]
struct Frame {
    samples: u64,
    called: BTreeMap<String, Frame>,
}

/// Draws the graph.
pub(crate) fn draw(title: &str, stacks: &Stacks) -> String {
    let mut root = Frame::default();
    for (stack, samples) in stacks.iter() {
        root.samples += samples;
        let mut frame = &mut root;
        for function in stack {
            frame = frame.called.entry(function.clone()).or_default();
            frame.samples += samples;
        }
    }
    let scale = WIDTH / root.samples.max(1) as f64;
    let height = TITLE + ROW * (depth(&root, scale) + 1.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"11\">\n\
         <!-- Generated from samples of perf by `just flame`. -->\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"14\">{}: {} samples</text>\n",
        attribute(title),
        root.samples
    );
    let whole = Place { left: 0.0, bottom: height - ROW, scale, samples: root.samples };
    boxes(&mut svg, &root, &whole);
    svg.push_str("</svg>\n");
    svg
}

/// Where the boxes above a frame begin.
struct Place {
    left: f64,
    bottom: f64,
    scale: f64,
    /// All samples.
    samples: u64,
}

fn boxes(svg: &mut String, frame: &Frame, place: &Place) {
    let Place { mut left, bottom, scale, samples } = *place;
    for (name, called) in &frame.called {
        let width = called.samples as f64 * scale;
        if width >= NARROWEST {
            let share = called.samples as f64 / samples.max(1) as f64 * 100.0;
            let fits = (width / CHARACTER) as usize;
            let shown: String = if fits >= 3 { name.chars().take(fits).collect() } else { String::new() };
            let _ = writeln!(
                svg,
                "<g><title>{} ({} samples, {share:.2} %)</title><rect x=\"{left:.1}\" y=\"{bottom:.1}\" width=\"{width:.1}\" \
                 height=\"{:.1}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.5\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                attribute(name),
                called.samples,
                ROW - 1.0,
                colour(name),
                left + 2.0,
                bottom + 12.0,
                attribute(&shown)
            );
            boxes(svg, called, &Place { left, bottom: bottom - ROW, scale, samples });
        }
        left += width;
    }
}

/// Rows above the frame, without boxes that are left out.
fn depth(frame: &Frame, scale: f64) -> f64 {
    let drawn = frame.called.values().filter(|called| called.samples as f64 * scale >= NARROWEST);
    drawn.map(|called| 1.0 + depth(called, scale)).fold(0.0, f64::max)
}

/// Ours are orange; the standard library and crates are yellow; the kernel and C are grey.
fn colour(name: &str) -> &'static str {
    if OURS.iter().any(|ours| name.contains(ours)) {
        "#f5a25d"
    } else if name.contains("::") {
        "#f6dd8b"
    } else {
        "#d5d8dc"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_as_wide_as_its_share_and_names_are_escaped() {
        let script = "a \n\t 1 <f as g>::call\n\t 2 main\n\na \n\t 1 other\n\t 2 main\n\n";
        let svg = draw("order-api", &Stacks::read(script));
        assert!(svg.contains("<title>main (2 samples, 100.00 %)</title>"), "{svg}");
        assert!(svg.contains("<title>&lt;f as g&gt;::call (1 samples, 50.00 %)</title>"), "{svg}");
        assert!(svg.contains("width=\"1400.0\"") && svg.matches("width=\"700.0\"").count() == 2, "{svg}");
        assert!(!svg.contains("<f as") && !svg.contains("<script"), "{svg}");
        assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    }

    #[test]
    fn no_samples_are_an_empty_graph() {
        let svg = draw("nothing", &Stacks::default());
        assert!(svg.contains("nothing: 0 samples") && !svg.contains("<g>"), "{svg}");
    }
}
