//! The report in a terminal.

use std::fmt::Write;

use super::{Break, Line, Report};

pub(super) fn write(report: &Report) -> String {
    let Report { scenario, total, seconds, skipped, late_p99_ms, .. } = report;
    let memory = report.peak_mib.map(|mib| format!(", {mib:.1} MiB at most")).unwrap_or_default();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{scenario}: {} requests in {seconds:.1} s, {:.1} good per second, {} errors, {skipped} starts skipped, \
         generator late by {late_p99_ms:.1} ms (p99){memory}\n",
        total.count, total.good_per_second, total.errors
    );
    let _ = writeln!(
        out,
        "{:24}{:>9}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "ms, from when due", "count", "errors", "p50", "p90", "p99", "p99.9", "max"
    );
    let steps = report.steps.iter().filter(|line| line.count > 0);
    let journeys = report.journeys.iter().filter(|line| line.count > 0);
    for line in steps.chain([total]) {
        row(&mut out, "", line);
    }
    for line in journeys {
        row(&mut out, "journey ", line);
    }
    for line in report.steps.iter().filter(|line| !line.failures.is_empty()) {
        let reasons = line.failures.iter().map(|(reason, count)| format!("{count} x {reason}"));
        let _ = writeln!(out, "\n{}: {}", line.name, reasons.collect::<Vec<_>>().join(", "));
    }
    out.push('\n');
    for judged in &report.thresholds {
        let reason = if judged.reason.is_empty() { String::new() } else { format!("  ({})", judged.reason) };
        let (verdict, threshold, seen) = (judged.verdict.as_str(), &judged.threshold, &judged.seen);
        let _ = writeln!(out, "{verdict:14}{threshold:38}{seen}{reason}");
    }
    if !report.breaks.is_empty() {
        out.push('\n');
    }
    for Break { threshold, at, rate } in &report.breaks {
        let _ = writeln!(out, "{threshold} is missed from {at:.0} s on, at {rate:.0} journeys per second");
    }
    let _ = writeln!(out, "\n{}", report.verdict.as_str());
    out
}

fn row(out: &mut String, prefix: &str, line: &Line) {
    let Line { name, count, errors, p50, p90, p99, p999, max, .. } = line;
    let name = format!("{prefix}{name}");
    let _ = writeln!(
        out,
        "{name:24}{count:>9}{errors:>8}{p50:>10.1}{p90:>10.1}{p99:>10.1}{p999:>10.1}{max:>10.1}"
    );
}
