//! What was measured, for programs and for people who were not there: JUnit, and a report in Markdown.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};

use super::report::{Row, seconds};

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
        let name = suite.first().map_or_else(String::new, |row| escape(&row.runbook));
        let failures = suite.iter().filter(|row| !row.is_fine()).count();
        let tests = suite.len();
        let _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">");
        for (number, row) in suite.iter().enumerate() {
            let time = row.ended.unwrap_or_default();
            let case = format!("{} {}", row.way, number + 1);
            let _ =
                write!(xml, "    <testcase classname=\"runbook.{name}\" name=\"{case}\" time=\"{time:.3}\"");
            if row.is_fine() {
                xml.push_str("/>\n");
            } else {
                let why = escape(&row.words());
                let _ = writeln!(xml, ">\n      <failure message=\"{why}\"/>\n    </testcase>");
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn page(rows: &[Row]) -> String {
    let fine = rows.iter().filter(|row| row.is_fine()).count();
    let mut page = format!(
        "# Runbooks, verified\n\n{fine} of {} measurements are as they should be. Times count from the fault.\n\n\
         | runbook | way | fired | ended | what it did | how it ended |\n|---|---|---|---|---|---|\n",
        rows.len()
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::runbook::verify::{bench::Way, report::Verdict};

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
        vec![good, left, Row::failed("B", Way::Auto, "up is \"0\" | 1 < 2".to_owned())]
    }

    #[test]
    fn each_runbook_is_a_suite_and_what_is_left_behind_is_a_failure() {
        let xml = xml(&rows());
        assert_eq!(xml.matches("<testsuite ").count(), 2, "{xml}");
        assert!(xml.contains("name=\"A\" tests=\"2\" failures=\"1\""), "{xml}");
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
        assert!(page.contains("1 of 3 measurements"), "{page}");
        assert!(
            page.contains("| A | manual | 10 s | 31 s | helped | succeeded: every step is done |"),
            "{page}"
        );
        assert!(page.contains("| B | auto | - | - | FAILED | up is \"0\" \\| 1 < 2 |"), "{page}");
    }
}
