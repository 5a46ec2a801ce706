//! How a run ended, for people: the scorecard, what was not met, what was really wrong.

use console::Style;
use serde_json::Value;

use super::{
    text::{WIDTH, clock, wrap},
    view::{Failure, Score, View},
};
use crate::terminal::{Row, out};

/// Prints everything that is known of a run that is over.
pub(crate) fn print(run: &View) {
    out!("");
    Row::new()
        .text(format_args!("{}  ", title(run)))
        .painted(&paint(run.verdict()), run.verdict())
        .text(format_args!("  after {}", clock(run.seconds())))
        .print();
    if let Some(score) = &run.score {
        print_score(score);
    }
    if run.seen {
        out!("  the solution was known from an earlier run: this one is practice");
    }
    if !run.passed() {
        failures(&run.failures);
    }
    if let Some(truth) = &run.truth {
        print_truth(truth);
    }
}

/// `noon: The shop stops at noon`
pub(crate) fn title(run: &View) -> String {
    match &run.brief {
        Some(brief) if !brief.title.is_empty() => format!("{}: {}", run.name(), brief.title),
        _ => run.name().to_owned(),
    }
}

/// The colour of a verdict.
pub(crate) fn paint(verdict: &str) -> Style {
    match verdict {
        "passed" => Style::new().green(),
        "failed" | "timed-out" => Style::new().red(),
        "invalid" | "aborted" => Style::new().yellow(),
        _ => Style::new(),
    }
}

fn print_score(score: &Score) {
    out!("");
    out!("  score {:.0} of 100", score.total);
    out!("");
    out!("  {:12} {:>6}  {:>6}  MEASURED", "CRITERION", "WEIGHT", "POINTS");
    for line in &score.lines {
        let share = line.share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        out!("  {:12} {:>6}  {share:>6}  {}", line.criterion, line.weight, line.value);
    }
    for deduction in &score.deductions {
        out!("  {:12} {:>6}  {:>6}  {}", "deduction", "", format!("-{}", deduction.points), deduction.why);
    }
}

/// Prints each condition that was not met: the condition, the query, what was expected and what was seen.
pub(crate) fn failures(list: &[Failure]) {
    list.iter().flat_map(failure).for_each(|line| out!("{line}"));
}

fn failure(failure: &Failure) -> Vec<String> {
    let mut lines = vec![format!("  not met in {}: {}", failure.phase, failure.condition)];
    for (name, text) in [("query", &failure.query), ("expected", &failure.expected), ("seen", &failure.seen)]
    {
        // Queries are written over several lines.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            lines.push(format!("    {name:9} {text}"));
        }
    }
    lines
}

/// Parts of the truth with queries and times, which the report has.
const IN_THE_REPORT: [&str; 3] = ["signals", "path", "notices"];

/// The truth, whatever the control room says of it: names and what belongs to them.
pub(crate) fn print_truth(truth: &Value) {
    let mut truth = truth.clone();
    if let Some(fields) = truth.as_object_mut() {
        fields.retain(|name, _| !IN_THE_REPORT.contains(&name.as_str()));
    }
    out!("");
    out!("  what was wrong");
    for line in described(&truth, 4) {
        out!("{line}");
    }
}

/// A value as indented lines; texts are broken into lines of one width.
fn described(value: &Value, indent: usize) -> Vec<String> {
    let space = " ".repeat(indent);
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !empty(value))
            .flat_map(|(name, value)| {
                let name = name.replace('_', " ");
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        let mut lines = vec![format!("{space}{name}")];
                        lines.extend(described(value, indent + 2));
                        lines
                    }
                    _ => wrap(&format!("{name}: {}", plain(value)), WIDTH)
                        .into_iter()
                        .map(|line| format!("{space}{line}").trim_end().to_owned())
                        .collect(),
                }
            })
            .collect(),
        Value::Array(list) => list.iter().map(|entry| format!("{space}- {}", plain(entry))).collect(),
        other => vec![format!("{space}{}", plain(other))],
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// A value in one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // An action, and what it does.
        Value::Object(fields) if fields.contains_key("act") && fields.contains_key("why") => {
            format!("{}: {}", plain(&fields["act"]), plain(&fields["why"]))
        }
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !empty(value));
            known.map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_names_the_condition_the_query_what_was_expected_and_what_was_seen() {
        let met = Failure {
            phase: "recover".to_owned(),
            condition: "orders are answered".to_owned(),
            query: "slo:sli_error:ratio_rate5s\n  < 0.0144".to_owned(),
            expected: "holds".to_owned(),
            seen: "nothing".to_owned(),
        };
        assert_eq!(
            failure(&met),
            [
                "  not met in recover: orders are answered",
                "    query     slo:sli_error:ratio_rate5s < 0.0144",
                "    expected  holds",
                "    seen      nothing"
            ]
        );
        let asked = Failure { condition: "the run continues".to_owned(), ..Failure::default() };
        assert_eq!(failure(&asked).len(), 1, "what is empty is left out");
    }

    #[test]
    fn the_truth_is_written_out_whatever_its_fields_are() {
        let truth = json!({
            "faults": [{ "fault": "db-lock", "service": "order-api", "change": null }],
            "debrief": "A migration took a lock.", "onset": null,
            "helps": [{ "act": "roll back m-7", "why": "It takes the lock." }],
        });
        assert_eq!(
            described(&truth, 2),
            [
                "  debrief: A migration took a lock.",
                "  faults",
                "    - fault db-lock, service order-api",
                "  helps",
                "    - roll back m-7: It takes the lock."
            ]
        );
    }
}
