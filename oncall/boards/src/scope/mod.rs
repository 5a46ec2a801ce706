//! What variables stand for: in queries, and in the addresses of links.

use std::collections::BTreeMap;

use crate::{
    data::Labels,
    model::{Board, Query, Source, Variable, VariableKind},
    range::{self, Range, encode},
};

/// "All" in the address of a board.
pub const ALL: &str = "$__all";
/// Most values that an address may choose for one variable.
const MOST: usize = 200;

/// Variables that Grafana defines itself.
const OWN: &[&str] = &["__rate_interval", "__interval", "__range", "__range_s", "__auto"];
/// Those that it defines for links.
const OF_LINKS: &[&str] = &["__from", "__to", "__url_time_range", "__org"];

/// What a reader chose, and the time range.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The time range.
    pub range: Range,
    /// How often the metrics are scraped, in seconds.
    pub scrape: f64,
    chosen: BTreeMap<String, Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    values: Vec<String>,
    /// What "All" stands for, if all are chosen.
    all: Option<String>,
    many: bool,
}

/// What a link is on: a series, or a row of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clicked<'a> {
    /// Labels of the series: `${__field.labels.slo}`.
    pub labels: Option<&'a Labels>,
    /// Cells of the row: `${__data.fields.job}`.
    pub cells: Option<&'a Labels>,
}

impl Scope {
    /// What an address chose (`var-job=a&var-job=b`), or the board's own choice where it says nothing.
    #[must_use]
    pub fn new(board: &Board, range: Range, scrape: f64, address: &[(String, String)]) -> Self {
        let chosen = board.variables.iter().map(|variable| {
            let name = format!("var-{}", variable.name);
            let given = address.iter().filter(|(key, value)| *key == name && !value.is_empty());
            let given: Vec<String> = given.map(|(_, value)| value.clone()).take(MOST).collect();
            (variable.name.clone(), Choice::new(variable, given))
        });
        Self { range, scrape, chosen: chosen.collect() }
    }

    /// The values that are chosen; `$__all` for all.
    #[must_use]
    pub fn values(&self, variable: &str) -> &[String] {
        self.chosen.get(variable).map(|choice| choice.values.as_slice()).unwrap_or_default()
    }

    /// What was chosen, as it is written in an address: `var-job=a&var-job=b`.
    #[must_use]
    pub fn query(&self) -> String {
        let pairs = self.chosen.iter().filter(|(name, _)| !name.ends_with("_datasource"));
        let pairs = pairs.flat_map(|(name, choice)| {
            choice.values.iter().map(move |value| format!("var-{}={}", encode(name), encode(value)))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A query with its variables replaced; `step` in seconds.
    #[must_use]
    pub fn expr(&self, query: &Query, step: f64) -> String {
        let scrape = query.every.unwrap_or(self.scrape);
        replaced(&query.expr, |name| match name {
            "__rate_interval" => Some(range::written((step + scrape).max(4.0 * scrape))),
            // Loki's own rule: the step, but at least a few lines' worth of time.
            "__auto" => Some(range::written(self.auto(query, step))),
            "__interval" => Some(range::written(step)),
            "__range" => Some(range::written(self.range.seconds().ceil())),
            "__range_s" => Some(self.range.seconds().ceil().to_string()),
            name => self.chosen.get(name).map(|choice| choice.pattern(query.source)),
        })
    }

    /// A selector of a variable with the variables before it replaced.
    #[must_use]
    pub fn selector(&self, series: &str) -> String {
        replaced(series, |name| self.chosen.get(name).map(|choice| choice.pattern(Source::Prometheus)))
    }

    /// An address with its variables replaced.
    #[must_use]
    pub fn url(&self, url: &str, clicked: Clicked<'_>) -> String {
        let of = |labels: Option<&Labels>, name: &str| {
            Some(encode(labels.and_then(|labels| labels.get(name)).map_or("", String::as_str)))
        };
        replaced(url, |name| match name {
            "__from" => Some(encode(&self.range.written.0)),
            "__to" => Some(encode(&self.range.written.1)),
            "__url_time_range" => Some(self.range.query()),
            "__org" => Some("1".to_owned()),
            name => match (name.strip_prefix("__field.labels."), name.strip_prefix("__data.fields.")) {
                (Some(label), _) => of(clicked.labels, label),
                (_, Some(cell)) => of(clicked.cells, cell),
                _ => self.chosen.get(name).map(|choice| encode(&choice.values.join(","))),
            },
        })
    }

    /// The window that `$__auto` stands for.
    #[must_use]
    pub fn auto(&self, query: &Query, step: f64) -> f64 {
        if query.instant { self.range.seconds().ceil() } else { step.max(5.0) }
    }
}

impl Choice {
    fn new(variable: &Variable, given: Vec<String>) -> Self {
        let mut values = if given.is_empty() { variable.chosen.clone() } else { given };
        if let VariableKind::DataSource(source) = variable.kind {
            values = vec![source.id().to_owned()];
        }
        if !variable.multi {
            values.truncate(1);
        }
        let all = variable.all.clone().filter(|_| values.iter().any(|value| value == ALL));
        if all.is_some() {
            values = vec![ALL.to_owned()];
        }
        Self { values, all, many: variable.multi || variable.all.is_some() }
    }

    /// As a regular expression inside a quoted string, as Grafana writes it for Prometheus and Loki.
    fn pattern(&self, source: Source) -> String {
        if let Some(all) = &self.all {
            return all.clone();
        }
        if !self.many || source == Source::Jaeger {
            return self.values.join(",");
        }
        let escaped: Vec<String> = self.values.iter().map(|value| literal(value)).collect();
        match &escaped[..] {
            [one] => one.clone(),
            several => format!("({})", several.join("|")),
        }
    }
}

/// Exactly this text, as a regular expression inside a quoted string.
fn literal(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for char in value.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\\\\\"),
            '$' | '^' | '*' | '{' | '}' | '[' | ']' | '+' | '?' | '.' | '(' | ')' | '|' => {
                out.push_str("\\\\");
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out
}

/// Replaces `$name` and `${name}` by what `value` says; leaves what it does not know.
fn replaced(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let (name, length) = variable(&rest[at..]);
        match value(name) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..at + length]),
        }
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// The name of the variable at the start of the text, and how long its mention is: at least the `$`.
fn variable(text: &str) -> (&str, usize) {
    if let Some(inner) = text.strip_prefix("${")
        && let Some(end) = inner.find('}')
    {
        return (&inner[..end], end + 3);
    }
    let name = &text[1..];
    let end = name.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(name.len());
    (&name[..end], end + 1)
}

/// Variables that a text mentions.
pub(crate) fn mentioned(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (name, length) = variable(&rest[at..]);
        // `{service=~".+$"}`: the end of a line, not a variable.
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = &rest[at + length..];
    }
    names
}

/// Whether a variable of this name has a value in a query.
pub(crate) fn known(name: &str, variables: &[Variable]) -> bool {
    OWN.contains(&name) || variables.iter().any(|variable| variable.name == name)
}

/// Whether a variable of this name has a value in the address of a link.
pub(crate) fn known_in_link(name: &str, variables: &[Variable]) -> bool {
    OF_LINKS.contains(&name)
        || name.starts_with("__field.labels.")
        || name.starts_with("__data.fields.")
        || variables.iter().any(|variable| variable.name == name)
}

#[cfg(test)]
mod tests;
