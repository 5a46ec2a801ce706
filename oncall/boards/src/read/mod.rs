//! Reads the JSON of a board. First everything in it is compared with what can be drawn (`rules`); only a file without
//! a mistake is turned into a [`Board`].

mod board;
mod panel;
mod rules;
mod shape;

use serde_json::Value;

use crate::{
    Board, Problem, Problems,
    model::{Source, Variable},
    scope,
};

impl Board {
    /// Reads a file; `file` is its name, for messages.
    ///
    /// # Errors
    /// Every setting that could not be drawn, with its place.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        let refused = |problems| Problems { file: file.to_owned(), problems };
        let json: Value = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}", error.line());
            refused(vec![Problem { place, message: format!("this is not JSON: {error}") }])
        })?;
        let mut problems = Vec::new();
        let board = board::read(&json, &mut problems);
        if problems.is_empty() { Ok(board) } else { Err(refused(problems)) }
    }
}

/// A text of the JSON; empty if there is none.
fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

/// The items of a list.
fn items(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

/// The texts of a list.
fn texts(json: &Value) -> Vec<String> {
    items(json).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Reports a mistake.
fn problem(problems: &mut Vec<Problem>, place: &str, message: String) {
    problems.push(Problem { place: place.to_owned(), message });
}

/// The data source of this kind.
fn source(id: &str) -> Option<Source> {
    [Source::Prometheus, Source::Loki, Source::Jaeger].into_iter().find(|source| source.id() == id)
}

/// Reports variables of a query that nothing defines.
fn unknown(query: &str, variables: &[Variable], place: &str, problems: &mut Vec<Problem>) {
    for name in scope::mentioned(query) {
        if !scope::known(&name, variables) {
            let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
            let message = format!("there is no variable `${name}`; there are: {}", names.join(", "));
            problem(problems, place, message);
        }
    }
}
