//! Verifications as JUnit XML: one suite for each drill, one case for each condition.

use std::fmt::Write as _;

use chassis_text::markup::attribute;

use crate::{Outcome, engine::Failure};

/// One case.
struct Case<'a> {
    name: String,
    seconds: f64,
    failure: Option<&'a Failure>,
}

/// The document.
#[must_use]
pub fn junit(outcomes: &[Outcome]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"drills\">\n");
    for outcome in outcomes {
        suite(&mut xml, outcome);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, outcome: &Outcome) {
    let cases = cases(outcome);
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" time=\"{:.3}\" timestamp=\"{}\">",
        attribute(&outcome.drill),
        cases.len(),
        (outcome.ended - outcome.started).as_seconds_f64(),
        outcome.started.format("%Y-%m-%dT%H:%M:%S"),
    );
    let _ = writeln!(
        xml,
        "    <properties><property name=\"seed\" value=\"{}\"/><property name=\"verdict\" value=\"{}\"/></properties>",
        outcome.seed, outcome.verdict
    );
    for case in cases {
        let (drill, name) = (attribute(&outcome.drill), attribute(&case.name));
        let _ = write!(
            xml,
            "    <testcase classname=\"drill.{drill}\" name=\"{name}\" time=\"{:.3}\"",
            case.seconds
        );
        let Some(failure) = case.failure else {
            xml.push_str("/>\n");
            continue;
        };
        let message = format!("expected: {}; seen: {}", failure.expected, failure.seen);
        let text =
            format!("phase: {}\nquery: {}\nat: {}", failure.phase, failure.query, failure.at.to_rfc3339());
        let (message, text) = (attribute(&message), attribute(&text));
        let _ = writeln!(xml, ">\n      <failure message=\"{message}\">{text}</failure>\n    </testcase>");
    }
    xml.push_str("  </testsuite>\n");
}

/// What was seen, and then every failure that is about nothing that was to be seen.
fn cases(outcome: &Outcome) -> Vec<Case<'_>> {
    let failure = |name: &str| outcome.failures.iter().find(|failure| failure.condition == name);
    let sightings = outcome.signals.iter().chain(&outcome.path);
    let mut cases: Vec<Case<'_>> = sightings
        .map(|one| Case {
            name: one.name.clone(),
            seconds: one.seen.unwrap_or_default(),
            failure: failure(&one.name),
        })
        .collect();
    for failure in &outcome.failures {
        if !cases.iter().any(|case| case.name == failure.condition) {
            cases.push(Case { name: failure.condition.clone(), seconds: 0.0, failure: Some(failure) });
        }
    }
    if let (Some(injected), Some(recovered)) = (outcome.injected, outcome.recovered) {
        let seconds = (recovered - injected).as_seconds_f64();
        cases.push(Case { name: "the system recovers".to_owned(), seconds, failure: None });
    }
    let seconds = (outcome.ended - outcome.started).as_seconds_f64();
    cases.push(Case { name: "the reset is clean".to_owned(), seconds, failure: None });
    cases
}
