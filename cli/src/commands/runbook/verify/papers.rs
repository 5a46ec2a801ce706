//! What was measured, for programs and for people who were not there: JUnit, and a report in Markdown.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};
use chassis_text::markup::attribute;

use super::report::{Row, seconds, sum};

/// Writes JUnit: one suite for each runbook, one case for each measurement.
///
/// # Errors
/// When the file cannot be written; the same for the report.
pub(super) fn junit(path: &Path, rows: &[Row]) -> Result<()> {
    keep(path, &xml(rows))
}

/// Writes the report.
pub(super) fn markdown(path: &Path, rows: &[Row]) -> Result<()> {
    keep(path, &page(rows))
}

fn keep(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The rows of each runbook, in the order in which they were measured.
fn by_runbook(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, other| one.runbook == other.runbook)
}

fn xml(rows: &[Row]) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"runbooks\">\n");
    for suite in by_runbook(rows) {
        let name = suite.first().map_or_else(String::new, |row| attribute(&row.runbook));
        let failures = suite.iter().filter(|row| !row.is_fine()).count();
        let skipped = suite.iter().filter(|row| !row.is_measured()).count();
        let tests = suite.len();
        let counts = format!("tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\"");
        let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts}>");
        for (number, row) in suite.iter().enumerate() {
            let time = row.ended.unwrap_or_default();
            let case = format!("{} {}", row.way, number + 1);
            let _ =
                write!(xml, "    <testcase classname=\"runbook.{name}\" name=\"{case}\" time=\"{time:.3}\"");
            if row.is_measured() && row.is_fine() {
                xml.push_str("/>\n");
            } else {
                let (what, why) =
                    (if row.is_measured() { "failure" } else { "skipped" }, attribute(&row.words()));
                let _ = writeln!(xml, ">\n      <{what} message=\"{why}\"/>\n    </testcase>");
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn page(rows: &[Row]) -> String {
    let mut page = format!(
        "# Runbooks, verified\n\n{}. Times count from the fault.\n\n\
         | runbook | way | fired | ended | what it did | how it ended |\n|---|---|---|---|---|---|\n",
        sum(rows)
    );
    for row in rows {
        let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), seconds);
        let ending = row.problem.as_ref().or(row.ending.as_ref()).map_or("", String::as_str);
        let mut ending = ending.replace('|', "\\|").replace('\n', " ");
        for left in &row.left {
            let _ = write!(ending, "; left behind: {left}");
        }
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {ending} |",
            row.runbook,
            row.way,
            time(row.fired),
            time(row.ended),
            row.verdict.words()
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::runbook::verify::{report::Verdict, way::Way};

    fn rows() -> Vec<Row> {
        let good = Row {
            runbook: "A".to_owned(),
            way: Way::Manual,
            fired: Some(9.6),
            ended: Some(31.2),
            cause: 120.0,
            verdict: Verdict::Helped,
            ending: Some("succeeded: every step is done".to_owned()),
            left: Vec::new(),
            problem: None,
        };
        let left = Row { way: Way::Auto, left: vec!["order-api-2 is new".to_owned()], ..good.clone() };
        let failed = Row::failed("B", Way::Auto, "up is \"0\" | 1 < 2".to_owned());
        vec![good, left, failed, Row::skipped("C", "it needs Kubernetes")]
    }

    #[test]
    fn each_runbook_is_a_suite_and_what_is_left_behind_is_a_failure() {
        let xml = xml(&rows());
        assert_eq!(xml.matches("<testsuite ").count(), 3, "{xml}");
        assert!(xml.contains("name=\"A\" tests=\"2\" failures=\"1\" skipped=\"0\""), "{xml}");
        assert!(xml.contains("<skipped message=\"SKIPPED; it needs Kubernetes\"/>"), "{xml}");
        assert!(
            xml.contains("<testcase classname=\"runbook.A\" name=\"manual 1\" time=\"31.200\"/>"),
            "{xml}"
        );
        assert!(xml.contains("left behind: order-api-2 is new"), "{xml}");
        assert!(xml.contains("up is &quot;0&quot; | 1 &lt; 2"), "{xml}");
    }

    #[test]
    fn the_report_has_a_row_for_each_measurement() {
        let page = page(&rows());
        assert!(page.contains("1 of 3 measurements are as they should be; 1 SKIPPED"), "{page}");
        assert!(page.contains("| C | - | - | - | SKIPPED | it needs Kubernetes |"), "{page}");
        assert!(
            page.contains("| A | manual | 10 s | 31 s | helped | succeeded: every step is done |"),
            "{page}"
        );
        assert!(page.contains("| B | auto | - | - | FAILED | up is \"0\" \\| 1 < 2 |"), "{page}");
    }
}
