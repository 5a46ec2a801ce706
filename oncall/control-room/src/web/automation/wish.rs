//! The form that starts a runbook: its parameters, and what a person has written there.

use std::collections::BTreeMap;

use incident::Id;
use maud::{Markup, html};
use runbook::Mode;

use crate::{
    access::Visitor,
    error::{Error, Result},
    room::Room,
    runbooks::view::{ParameterView, RunbookView},
    web::parts::{csrf, select, text_field},
};

/// What the names of parameters begin with in a form.
const PARAMETER: &str = "p-";

/// What a form says.
#[derive(Debug, PartialEq)]
pub(in crate::web) struct Wish {
    pub(super) mode: Mode,
    pub(super) incident: Option<Id>,
    pub(super) parameters: BTreeMap<String, String>,
}

impl Wish {
    /// For a form that nobody has filled in yet.
    pub(in crate::web) const fn of(incident: Option<Id>, parameters: BTreeMap<String, String>) -> Self {
        Self { mode: Mode::Manual, incident, parameters }
    }

    /// Reads a form: its parameters have names that this program does not know.
    pub(super) fn read(fields: BTreeMap<String, String>) -> Result<Self> {
        let mut wish = Self::of(None, BTreeMap::new());
        for (name, value) in fields {
            let value = value.trim();
            match (name.as_str(), name.strip_prefix(PARAMETER)) {
                (_, _) if value.is_empty() => {}
                (_, Some(parameter)) => {
                    wish.parameters.insert(parameter.to_owned(), value.to_owned());
                }
                ("mode", None) => {
                    let expected = |_| Error::field("mode", "expected manual, ask or auto");
                    wish.mode = value.parse().map_err(expected)?;
                }
                ("incident", None) => {
                    let id = value.parse().map_err(|wrong: String| Error::field("incident", wrong))?;
                    wish.incident = Some(id);
                }
                _ => return Err(Error::field(name, "is not a field of this form")),
            }
        }
        Ok(wish)
    }
}

/// The form that starts a runbook, and tries it.
pub(in crate::web) fn form(room: &Room, visitor: &Visitor, book: &RunbookView, wish: &Wish) -> Markup {
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let modes = [
        pair("manual", "step by step: I confirm each one"),
        pair("ask", "by itself, once a second person has approved"),
        pair("auto", "by itself, as far as the guardrails let it"),
    ];
    let mut incidents = vec![pair("", "none")];
    let open = room.desk.open_ones();
    incidents.extend(open.iter().map(|one| (one.id.to_string(), format!("{} {}", one.id, one.title))));
    let chosen = wish.incident.map(|id| id.to_string()).unwrap_or_default();
    let path = format!("/runbooks/{}", book.name);
    html! {
        section.card.stack aria-labelledby="start-title" {
            h2 #start-title { "Run it" }
            form.stack method="post" action={ (path) "/runs" } {
                (csrf(room, visitor))
                @for parameter in &book.parameters { (field(parameter, wish)) }
                (select("start", "incident", "For the incident", &incidents, &chosen))
                (select("start", "mode", "How", &modes, &wish.mode.to_string()))
                div.actions {
                    button.button.info type="submit" { "Start" }
                    button.button.quiet type="submit" formaction={ (path) "/dry" } { "Show what it would do" }
                }
            }
        }
    }
}

fn field(parameter: &ParameterView, wish: &Wish) -> Markup {
    let name = format!("{PARAMETER}{}", parameter.name);
    let given = wish.parameters.get(&parameter.name).or(parameter.default.as_ref());
    let given = given.map_or("", String::as_str);
    let label = format!("{}: {}", parameter.name, parameter.what);
    let from = match &parameter.label {
        Some(label) => format!(" Empty: the label {label} of the incident's alert."),
        None => String::new(),
    };
    if parameter.choices.is_empty() {
        return text_field("start", &name, &label, given, &format!("Expected {}.{from}", parameter.expects));
    }
    let empty = if parameter.label.is_some() { "as the alert says" } else { "choose one" };
    let mut choices = vec![(String::new(), empty.to_owned())];
    choices.extend(parameter.choices.iter().map(|choice| (choice.clone(), choice.clone())));
    select("start", &name, &label, &choices, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Wish> {
        Wish::read(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn empty_fields_are_left_to_the_alert_and_unknown_ones_are_refused() {
        let wish =
            read(&[("mode", "ask"), ("incident", "INC-7"), ("p-service", " order-api "), ("p-topic", "")]);
        let parameters = BTreeMap::from([("service".to_owned(), "order-api".to_owned())]);
        assert_eq!(wish.unwrap(), Wish { mode: Mode::Ask, incident: Some(Id(7)), parameters });
        assert_eq!(read(&[]).unwrap(), Wish::of(None, BTreeMap::new()));
        for (name, value, said) in [
            ("mode", "fast", "mode: expected manual"),
            ("incident", "x", "incident: "),
            ("x", "1", "x: is not"),
        ] {
            let refused = read(&[(name, value)]).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
    }
}
