//! JUnit XML, as CI systems read it.

use std::fmt::Write;

use chassis_text::markup::attribute;

use super::Report;
use crate::run::Verdict;

pub(super) fn write(report: &Report) -> String {
    let count = |verdict| report.thresholds.iter().filter(|judged| judged.verdict == verdict).count();
    let (tests, failures, skipped) =
        (report.thresholds.len(), count(Verdict::Fail), count(Verdict::Inconclusive));
    let (name, seconds) = (attribute(&report.scenario), report.seconds);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"load.{name}\" tests=\"{tests}\" \
         failures=\"{failures}\" skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{}\">\n",
        attribute(&report.started_at)
    );
    for judged in &report.thresholds {
        let (threshold, seen) = (attribute(&judged.threshold), attribute(&judged.seen));
        let inside = match judged.verdict {
            Verdict::Pass => String::new(),
            Verdict::Fail => format!("<failure message=\"{seen}\"/>"),
            Verdict::Inconclusive => format!("<skipped message=\"{}\"/>", attribute(&judged.reason)),
        };
        let _ =
            writeln!(out, "    <testcase classname=\"load.{name}\" name=\"{threshold}\">{inside}</testcase>");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}
