//! The form with which a responder answers: what is the cause, what failed, which change, since when, what proves
//! it.
//!
//! Its fields have names that depend on the room, so they are read as pairs. What was sent is shown again.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use drill::engine;
use maud::{Markup, html};

use super::facts::{Answers, Brief, Run};
use crate::{
    access::legal,
    changes::Change,
    error::{Error, Result},
    web::parts::{count, select, text_area, text_field},
};

/// What the names of checkboxes begin with.
const COMPONENT: &str = "c-";
/// Queries of an answer.
const MOST_QUERIES: usize = 20;

/// The fields of the form, by name.
pub(super) type Fields = BTreeMap<String, String>;

/// The form's fields for an answer that was given before.
pub(super) fn again(answers: &Answers) -> Fields {
    let mut fields: Fields =
        answers.components.iter().map(|name| (format!("{COMPONENT}{name}"), "1".to_owned())).collect();
    let texts = [
        ("mechanism", answers.mechanism.clone()),
        ("change", answers.change.clone()),
        ("onset", answers.onset.map(|at| at.format("%H:%M:%S").to_string())),
        ("evidence", Some(answers.evidence.join("\n"))),
    ];
    fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))));
    fields
}

/// What can be named in an answer.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Services and stores.
    pub(super) components: Vec<String>,
    /// Changes of the last minutes.
    pub(super) changes: Vec<String>,
}

impl Names {
    /// Those of a room. A change is named in brackets at the end of its text.
    pub(super) fn of(components: Vec<String>, changes: &[Change]) -> Self {
        let plain = |name: &&str| legal(name);
        let name = |change: &Change| {
            let (_, end) = change.text.rsplit_once(" (")?;
            end.strip_suffix(')').filter(plain).map(str::to_owned)
        };
        Self { components, changes: changes.iter().filter_map(name).collect() }
    }
}

/// The questions, with what was answered.
pub(super) fn fields(brief: Option<&Brief>, names: &Names, given: &Fields) -> Markup {
    let value = |name: &str| given.get(name).map_or("", String::as_str);
    // What a mystery asks is not known: all of it may be.
    let asks = |of: fn(&Brief) -> bool| brief.is_none_or(of);
    html! {
        fieldset.stack.tight aria-describedby="components-help" {
            legend { "Which components are the cause?" }
            p.help #components-help { "The cause, not what suffers from it. None: nothing is wrong." }
            div.checks {
                @for name in &names.components {
                    label {
                        input type="checkbox" name={ (COMPONENT) (name) } value="1"
                            checked[given.contains_key(&format!("{COMPONENT}{name}"))];
                        (name)
                    }
                }
            }
            @if names.components.is_empty() { p.muted { "No component is known here." } }
        }
        (mechanism(brief, value("mechanism")))
        @if asks(|brief| brief.asks_change) { (change(&names.changes, value("change"))) }
        @if asks(|brief| brief.asks_onset) { (onset(value("onset"))) }
        @if asks(|brief| brief.evidence > 0) {
            (text_area("answer", "evidence", "Which queries prove it?", value("evidence"), &wanted(brief)))
        }
    }
}

fn wanted(brief: Option<&Brief>) -> String {
    match brief.map(|brief| brief.evidence) {
        Some(1) => "One PromQL query in a line; it names a metric that deviates at the cause.".to_owned(),
        Some(number) => {
            let number = count(u64::from(number));
            format!("{number} PromQL queries, one in each line; each names a metric that deviates.")
        }
        None => "PromQL queries, one in each line; each names a metric that deviates.".to_owned(),
    }
}

fn mechanism(brief: Option<&Brief>, chosen: &str) -> Markup {
    let label = "What fails?";
    match brief {
        Some(brief) if brief.mechanisms.is_empty() => html! {},
        Some(brief) => {
            let mut options = vec![(String::new(), "I do not know yet".to_owned())];
            options.extend(brief.mechanisms.iter().map(|name| (name.clone(), name.replace('-', " "))));
            select("answer", "mechanism", label, &options, chosen)
        }
        None => text_field("answer", "mechanism", label, chosen, "In a word or two, such as bad-release."),
    }
}

fn change(names: &[String], chosen: &str) -> Markup {
    let mut options =
        vec![(String::new(), "I do not know yet".to_owned()), ("none".to_owned(), "none of them".to_owned())];
    options.extend(names.iter().map(|name| (name.clone(), name.clone())));
    // An answer that was given before is not lost, even if its change is no longer among the newest.
    if !options.iter().any(|(value, _)| value == chosen) {
        options.push((chosen.to_owned(), chosen.to_owned()));
    }
    select("answer", "change", "Which change is the cause?", &options, chosen)
}

fn onset(value: &str) -> Markup {
    html! {
        div.field {
            label for="answer-onset" { "Since when?" }
            p.help #answer-onset-help { "UTC, as the pages show it: when it began, not when you were paged." }
            input type="time" step="1" id="answer-onset" name="onset" value=(value)
                aria-describedby="answer-onset-help";
        }
    }
}

/// Reads the form.
pub(super) fn read(fields: &Fields, run: &Run) -> Result<engine::Answers> {
    let mut answers = engine::Answers::default();
    for (name, text) in fields {
        let text = text.trim();
        if let Some(component) = name.strip_prefix(COMPONENT) {
            answers.components.push(component.to_owned());
            continue;
        }
        let given = (!text.is_empty()).then(|| text.to_owned());
        match name.as_str() {
            "mechanism" => answers.mechanism = given,
            "change" => answers.change = given,
            "onset" => answers.onset = given.map(|text| time(&text, run.started_at)).transpose()?,
            "evidence" => answers.evidence = queries(text)?,
            _ => return Err(Error::field(name.as_str(), "is not a field of this form")),
        }
    }
    Ok(answers)
}

/// A time of day during the run: one that is long before its start is of the next day.
fn time(text: &str, started: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let wrong = || Error::field("onset", format!("expected a time such as 14:03:20, found `{text}`"));
    let parse = |format: &str| NaiveTime::parse_from_str(text, format);
    let time = parse("%H:%M:%S").or_else(|_| parse("%H:%M")).map_err(|_| wrong())?;
    let at = started.date_naive().and_time(time).and_utc();
    Ok(if at < started - TimeDelta::hours(12) { at + TimeDelta::days(1) } else { at })
}

fn queries(text: &str) -> Result<Vec<String>> {
    let queries: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if queries.len() > MOST_QUERIES {
        return Err(Error::field("evidence", format!("expected at most {MOST_QUERIES} queries")));
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn run() -> Run {
        Run { started_at: "2026-05-04T23:59:00Z".parse().unwrap(), ..Run::default() }
    }

    #[test]
    fn what_is_sent_is_what_is_shown_again() {
        let sent = of(&[
            ("c-order-api", "1"),
            ("mechanism", "bad-release"),
            ("change", " none "),
            ("onset", "23:59:30"),
            ("evidence", "up == 0\n\n rate(x[1m]) > 1"),
        ]);
        let answers = read(&sent, &run()).unwrap();
        assert_eq!(answers.components, ["order-api"]);
        assert_eq!((answers.change.as_deref(), answers.evidence.len()), (Some("none"), 2));
        let kept: Answers = serde_json::from_value(serde_json::to_value(&answers).unwrap()).unwrap();
        let names = Names::of(vec!["order-api".to_owned(), "redis".to_owned()], &[]);
        let shown = fields(None, &names, &again(&kept)).into_string();
        assert!(shown.contains("name=\"c-order-api\" value=\"1\" checked"), "{shown}");
        assert!(!shown.contains("name=\"c-redis\" value=\"1\" checked"), "{shown}");
        assert!(shown.contains("value=\"23:59:30\"") && shown.contains("rate(x[1m]) &gt; 1"), "{shown}");
    }

    #[test]
    fn a_time_after_midnight_is_of_the_next_day_and_a_word_is_none() {
        let at = |text: &str| read(&of(&[("onset", text)]), &run()).map(|answers| answers.onset);
        assert_eq!(at("23:58").unwrap(), "2026-05-04T23:58:00Z".parse().ok());
        assert_eq!(at("00:01:02").unwrap(), "2026-05-05T00:01:02Z".parse().ok());
        assert_eq!(at("").unwrap(), None);
        assert!(at("noon").unwrap_err().to_string().starts_with("onset: expected a time"));
        assert!(read(&of(&[("truth", "x")]), &run()).is_err());
    }

    #[test]
    fn a_change_is_chosen_by_the_name_at_the_end_of_its_text() {
        let change = |text: &str| Change {
            at: Utc::now(),
            kind: "release".to_owned(),
            service: None,
            text: text.to_owned(),
            by: "pipeline".to_owned(),
            link: None,
        };
        let texts = ["order-api 1.8.0: new validation (order-api-1-8)", "restarted (by hand)", "a flag"];
        let names = Names::of(Vec::new(), &texts.map(change));
        assert_eq!(names.changes, ["order-api-1-8"]);
        let given = of(&[("change", "users-2-6")]);
        let shown = fields(None, &names, &given).into_string();
        assert!(shown.contains("value=\"order-api-1-8\"") && shown.contains("none of them"), "{shown}");
        assert!(shown.contains("value=\"users-2-6\" selected"), "{shown}");
    }

    #[test]
    fn only_what_the_drill_asks_is_asked() {
        let brief = Brief { mechanisms: vec!["dead-cache".to_owned()], evidence: 2, ..Brief::default() };
        let shown = fields(Some(&brief), &Names::default(), &Fields::new()).into_string();
        assert!(shown.contains("dead cache") && shown.contains("2 PromQL queries"), "{shown}");
        assert!(!shown.contains("name=\"change\"") && !shown.contains("name=\"onset\""), "{shown}");
        let mystery = fields(None, &Names::default(), &Fields::new()).into_string();
        assert!(mystery.contains("name=\"change\"") && mystery.contains("name=\"onset\""), "{mystery}");
    }
}
