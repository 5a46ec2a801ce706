//! The automatic stop: what it watches, what it read last, and the fields with which one is chosen.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    access::Visitor,
    actions::{Condition, Reading},
    error::{Error, Result},
    room::Room,
    web::parts::{Tone, ago, badge, csrf, percent, select, text_field},
};

/// Values of the field `stop`.
const KEEP: &str = "keep";
const BUDGET: &str = "budget";
const QUERY: &str = "query";

pub(super) fn draw(room: &Room, visitor: &Visitor, now: DateTime<Utc>) -> Markup {
    let (stop, reading) = room.actions.stop();
    html! {
        section #stop.stack.tight aria-labelledby="stop-title" {
            h2 #stop-title { "Automatic stop" }
            @match stop {
                None => p.muted { "None. Choose one with a fault: it ends all faults as soon as its condition is met." },
                Some(stop) => div.card.stack.tight {
                    p { (badge(Tone::Info, "watching")) " All faults end as soon as " strong { (stop.condition.words()) } "." }
                    p.muted {
                        (read(&stop.condition, reading.as_ref(), now))
                        " Set by " (stop.by) " " (ago(stop.since, now)) ". It also ends them if it cannot be checked for 30 s."
                    }
                    form method="post" action="/faults/stop" {
                        (csrf(room, visitor))
                        button.button.small type="submit" { "Remove the automatic stop" }
                    }
                },
            }
        }
    }
}

fn read(condition: &Condition, reading: Option<&Reading>, now: DateTime<Utc>) -> Markup {
    let show = |value: f64| match condition {
        Condition::Budget { .. } => percent(value),
        Condition::Query { .. } => format!("{value}"),
    };
    html! {
        @match reading {
            None => "Not read yet.",
            Some(Reading { at, value: Ok(Some(value)), .. }) => { "It is " (show(*value)) ", read " (ago(*at, now)) "." }
            Some(Reading { at, value: Ok(None), .. }) => { "The query has no value, read " (ago(*at, now)) "." }
            Some(Reading { at, value: Err(why), .. }) => { (badge(Tone::Bad, "cannot be checked")) " " (ago(*at, now)) ": " (why) "." }
        }
    }
}

/// The fields of the form of a fault.
pub(super) fn fields(room: &Room, given: &BTreeMap<String, String>) -> Markup {
    let value = |name: &str| given.get(name).map_or("", String::as_str);
    let keep = match room.actions.stop().0 {
        Some(stop) => format!("keep the one that is set: {}", stop.condition.words()),
        None => "none".to_owned(),
    };
    let kinds =
        [(KEEP, keep.as_str()), (BUDGET, "when a budget is low"), (QUERY, "when a query is above a limit")];
    let kinds = kinds.map(|(value, text)| (value.to_owned(), text.to_owned()));
    let slos: Vec<(String, String)> =
        room.content.slos().iter().map(|slo| (slo.name.clone(), slo.title.clone())).collect();
    let left = given.get("stop_left").map_or("20", String::as_str);
    html! {
        fieldset.stack.tight {
            legend { "Automatic stop" }
            p.help { "Ends all faults, everywhere, as soon as it has gone too far." }
            div.grid {
                (select("stop", "stop", "End all faults", &kinds, value("stop")))
                (select("stop", "stop_slo", "Budget of", &slos, value("stop_slo")))
                (text_field("stop", "stop_left", "Less than, in %", left, "Of the budget is left."))
                (text_field("stop", "stop_query", "Query", value("stop_query"), "PromQL; the worst of its series counts."))
                (text_field("stop", "stop_limit", "Limit", value("stop_limit"), "A number; above it all faults end."))
            }
        }
    }
}

/// The condition that was chosen; none if nothing changes. Takes its fields out of `fields`.
pub(super) fn chosen(fields: &mut BTreeMap<String, String>) -> Result<Option<Condition>> {
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let kind = take("stop");
    let (slo, left, query, limit) =
        (take("stop_slo"), take("stop_left"), take("stop_query"), take("stop_limit"));
    let number = |field: &str, text: &str| {
        let wrong = || Error::field(field, format!("expected a number such as 0.05 or 20, found `{text}`"));
        text.trim().trim_end_matches('%').trim_end().parse::<f64>().map_err(|_| wrong())
    };
    match kind.as_str() {
        "" | KEEP => Ok(None),
        BUDGET => Ok(Some(Condition::Budget { slo, left: number("stop_left", &left)? / 100.0 })),
        QUERY => Ok(Some(Condition::Query { query, limit: number("stop_limit", &limit)? })),
        other => Err(Error::field("stop", format!("expected {KEEP}, {BUDGET} or {QUERY}, found `{other}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<Condition>> {
        let mut fields =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        chosen(&mut fields)
    }

    #[test]
    fn only_the_fields_of_the_chosen_kind_count() {
        assert_eq!(of(&[("stop", "keep"), ("stop_limit", "x")]).unwrap(), None);
        let budget =
            of(&[("stop", "budget"), ("stop_slo", "a"), ("stop_left", "25 %"), ("stop_limit", "")]).unwrap();
        assert_eq!(budget, Some(Condition::Budget { slo: "a".to_owned(), left: 0.25 }));
        let query = of(&[("stop", "query"), ("stop_query", "up"), ("stop_limit", "0.5")]).unwrap();
        assert_eq!(query, Some(Condition::Query { query: "up".to_owned(), limit: 0.5 }));
        assert!(
            of(&[("stop", "query"), ("stop_limit", "much")])
                .unwrap_err()
                .to_string()
                .starts_with("stop_limit: ")
        );
        assert!(of(&[("stop", "later")]).unwrap_err().to_string().starts_with("stop: expected keep"));
    }
}
