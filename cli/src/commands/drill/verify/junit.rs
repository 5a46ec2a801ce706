//! The results of verifications as JUnit, for CI systems.

use chassis_text::markup::attribute;

/// Several documents of JUnit as one.
pub(super) fn joined(documents: &[String]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"drills\">\n");
    for document in documents {
        let inside = document.find("<testsuite ").zip(document.rfind("</testsuite>"));
        if let Some((from, until)) = inside {
            xml.push_str("  ");
            xml.push_str(&document[from..until]);
            xml.push_str("</testsuite>\n");
        }
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// JUnit for a drill that could not begin.
pub(super) fn refused(drill: &str, why: &str) -> String {
    let (drill, why) = (attribute(drill), attribute(why));
    format!(
        "<testsuite name=\"{drill}\" tests=\"1\" failures=\"1\"><testcase classname=\"drill.{drill}\" \
         name=\"the drill begins\"><failure message=\"{why}\"/></testcase></testsuite>"
    )
}

/// JUnit for a drill that this lab cannot run.
pub(super) fn skipped(drill: &str, why: &str) -> String {
    refused(drill, why).replacen("failures=\"1\"", "failures=\"0\" skipped=\"1\"", 1).replacen(
        "<failure ",
        "<skipped ",
        1,
    )
}

/// JUnit for a drill that passed only alone; beside the document of the run that passed.
pub(super) fn only_alone(drill: &str, first: &str) -> String {
    skipped(
        &format!("{drill} beside other labs"),
        &format!("it passed only alone; beside other labs: {first}"),
    )
}

/// Whether a document is about a drill, with an action item or without one.
pub(super) fn is_of(document: &str, drill: &str) -> bool {
    let suite = format!("<testsuite name=\"{drill}");
    document.split(&suite).skip(1).any(|rest| rest.starts_with('"') || rest.starts_with(" with "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_about_one_drill() {
        let of = |name: &str| is_of(&refused(name, "x"), "noon");
        assert!(of("noon") && of("noon with canary") && !of("noon-2") && !of("noon beside other labs"));
    }

    #[test]
    fn documents_of_junit_become_one() {
        let outer = |inner: &str| {
            format!("<?xml version=\"1.0\"?>\n<testsuites name=\"drills\">\n  {inner}\n</testsuites>\n")
        };
        let one = outer("<testsuite name=\"a\" tests=\"1\">\n    <testcase name=\"x\"/>\n  </testsuite>");
        let joined = joined(&[one, outer(&refused("b", "is \"on\" already"))]);
        assert_eq!(joined.matches("<testsuites ").count(), 1, "{joined}");
        assert_eq!(joined.matches("</testsuite>").count(), 2, "{joined}");
        assert!(
            joined.contains("is &quot;on&quot; already") && joined.ends_with("</testsuites>\n"),
            "{joined}"
        );
    }
}
