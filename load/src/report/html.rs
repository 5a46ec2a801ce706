//! The report as one page. The curves are SVG, drawn here: the page has no script and loads nothing.

use std::fmt::Write;

use chassis_text::markup::attribute;

use super::{Break, Line, Report};
use crate::run::board::Point;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024;\
    background:#fff}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:right;\
    padding:.25rem .5rem;border-bottom:1px solid #d8dbdf}th:first-child,td:first-child{text-align:left}svg{width:100%;\
    height:auto}.pass{color:#116329}.fail{color:#a40e26}.inconclusive{color:#7d4e00}polyline{fill:none;stroke-width:1.5}\
    text{font-size:11px;fill:currentColor}@media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#16181b}\
    .pass{color:#4ac26b}.fail{color:#ff8182}.inconclusive{color:#d4a72c}th,td{border-color:#3a3f45}}";

/// Size of a curve in units of its view box.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 20.0;

/// One line of a chart: name, colour, value.
type Drawn = (&'static str, &'static str, fn(&Point) -> f64);

pub(super) fn write(report: &Report) -> String {
    let (name, verdict) = (attribute(&report.scenario), report.verdict.as_str());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{name}: {verdict}</title><style>{STYLE}</style></head><body>\n\
         <h1>{name}: <span class=\"{verdict}\">{verdict}</span></h1>\n<p>{}</p>\n",
        attribute(&report.description)
    );
    let targets =
        report.targets.iter().map(|(name, url)| format!("{name} {url}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        out,
        "<p>{} · {:.0} s · seed {} · {} {}</p>",
        attribute(&report.started_at),
        report.seconds,
        report.seed,
        attribute(&targets),
        attribute(&report.commit)
    );
    thresholds(&mut out, report);
    let rate: [Drawn; 3] = [
        ("journeys per second asked for", "#8c959f", |point| point.target),
        ("requests per second", "#0969da", |point| point.rate),
        ("failed per second", "#cf222e", |point| point.errors),
    ];
    let latency: [Drawn; 2] =
        [("p50 ms", "#0969da", |point| point.p50), ("p99 ms", "#bf8700", |point| point.p99)];
    let flight: [Drawn; 2] = [
        ("journeys in flight", "#8250df", |point| point.in_flight),
        ("starts skipped per second", "#cf222e", |point| point.skipped),
    ];
    chart(&mut out, "Rate", &report.curve, &rate);
    chart(&mut out, "Response time, from when a request was due", &report.curve, &latency);
    if report.curve.iter().any(|point| point.awaited_p99 > 0.0) {
        let awaited: [Drawn; 1] = [("p99 ms", "#1a7f37", |point| point.awaited_p99)];
        chart(&mut out, "Time until what is waited for arrives", &report.curve, &awaited);
    }
    chart(&mut out, "In flight", &report.curve, &flight);
    table(&mut out, "Steps", report.steps.iter().chain([&report.total]));
    table(&mut out, "Journeys", report.journeys.iter());
    let memory = report.peak_mib.map(|mib| format!("; it needed {mib:.1} MiB at most")).unwrap_or_default();
    let _ = writeln!(
        out,
        "<p>{} starts skipped; generator late by {:.1} ms (p99){memory}.</p>\n</body></html>",
        report.skipped, report.late_p99_ms
    );
    out
}

fn thresholds(out: &mut String, report: &Report) {
    out.push_str("<table><tr><th>threshold</th><th>seen</th><th>verdict</th></tr>\n");
    for judged in &report.thresholds {
        let verdict = judged.verdict.as_str();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"{verdict}\">{verdict} {}</td></tr>",
            attribute(&judged.threshold),
            attribute(&judged.seen),
            attribute(&judged.reason)
        );
    }
    out.push_str("</table>\n");
    for Break { threshold, at, rate } in &report.breaks {
        let threshold = attribute(threshold);
        let _ = writeln!(
            out,
            "<p>{threshold} is missed from {at:.0} s on, at {rate:.0} journeys per second.</p>"
        );
    }
}

fn table<'a>(out: &mut String, title: &str, lines: impl Iterator<Item = &'a Line>) {
    let _ = writeln!(
        out,
        "<h2>{title}</h2><table><tr><th>ms</th><th>count</th><th>errors</th><th>p50</th><th>p90</th><th>p99</th>\
         <th>p99.9</th><th>max</th></tr>"
    );
    for line in lines {
        let reasons = line.failures.iter().map(|(reason, count)| format!("{count} x {reason}"));
        let reasons = attribute(&reasons.collect::<Vec<_>>().join(", "));
        let Line { count, errors, p50, p90, p99, p999, max, .. } = line;
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{count}</td><td>{errors} {reasons}</td><td>{p50:.1}</td><td>{p90:.1}</td>\
             <td>{p99:.1}</td><td>{p999:.1}</td><td>{max:.1}</td></tr>",
            attribute(&line.name)
        );
    }
    out.push_str("</table>\n");
}

fn chart(out: &mut String, title: &str, curve: &[Point], drawn: &[Drawn]) {
    let end = curve.last().map_or(1.0, |point| point.at).max(1.0);
    let values = curve.iter().flat_map(|point| drawn.iter().map(move |(_, _, value)| value(point)));
    let top = values.fold(0.0_f64, f64::max).max(1e-9);
    let x = |at: f64| LEFT + at / end * (WIDTH - LEFT);
    let y = |value: f64| (HEIGHT - BOTTOM) * (1.0 - value / top) + 2.0;
    let _ = write!(
        out,
        "<h2>{title}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\
         <text x=\"0\" y=\"12\">{top:.1}</text><text x=\"0\" y=\"{}\">0</text>\
         <text x=\"{LEFT}\" y=\"{HEIGHT}\">0 s</text><text x=\"{}\" y=\"{HEIGHT}\">{end:.0} s</text>",
        HEIGHT - BOTTOM,
        WIDTH - 50.0
    );
    for (_, colour, value) in drawn {
        let points = curve.iter().map(|point| format!("{:.1},{:.1}", x(point.at), y(value(point))));
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = write!(out, "<polyline stroke=\"{colour}\" points=\"{points}\"/>");
    }
    out.push_str("</svg><p>");
    for (name, colour, _) in drawn {
        let _ = write!(out, "<span style=\"color:{colour}\">■</span> {name} ");
    }
    out.push_str("</p>\n");
}
