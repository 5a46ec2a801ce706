//! What several tests use.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;
use switchboard::{Action, Outcome, Place, Tools};

/// Nothing has a switch here.
pub(crate) fn nowhere() -> Place {
    Place::Here(Vec::new())
}

/// An action as the API takes it.
pub(crate) fn action(value: Value) -> Action {
    serde_json::from_value(value).expect("an action")
}

/// Tools for this database.
pub(crate) fn with_database(name: &str, url: &str) -> Tools {
    Tools { databases: BTreeMap::from([(name.to_owned(), SecretString::from(url))]), ..Tools::default() }
}

/// What one thing says.
pub(crate) fn only(outcomes: Vec<Outcome>) -> String {
    let one: Result<[Outcome; 1], _> = outcomes.try_into();
    let [outcome] = one.unwrap_or_else(|more| panic!("not one outcome: {more:?}"));
    assert!(outcome.ok, "{outcome:?}");
    outcome.text
}
