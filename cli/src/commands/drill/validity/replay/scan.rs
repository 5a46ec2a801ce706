//! The selectors of a query, found in its text. Not a parser: what is no PromQL finds something or nothing. A
//! test compares it with a parser, over every query of the drills and the rules.

/// Words that stand before a list of labels.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Words that name nothing.
const WORDS: [&str; 8] = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"];

/// A selector, without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    /// Name of the metric.
    pub(super) name: String,
    /// What is in the braces, as it is written.
    pub(super) labels: String,
}

impl Selector {
    /// The value that a label must have, if one is written.
    pub(super) fn wants(&self, label: &str) -> Option<&str> {
        let start = format!("{label}=\"");
        let at = self.labels.match_indices(&start).map(|(at, _)| at);
        let mut own =
            at.filter(|at| !self.labels[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        self.labels[own.next()? + start.len()..].split('"').next()
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.labels.as_str() {
            "" => f.write_str(&self.name),
            labels => write!(f, "{}{{{labels}}}", self.name),
        }
    }
}

/// The selectors of a query that name a metric.
pub(super) fn selectors(query: &str) -> Vec<Selector> {
    let (mut found, mut rest) = (Vec::new(), query);
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '[' => rest.find(']').map_or(rest.len(), |at| at + 1),
            // A number or a duration.
            c if c.is_ascii_digit() => word(rest),
            c if c.is_alphabetic() || c == '_' || c == ':' => name(rest, &mut found),
            _ => piece(rest),
        };
        rest = &rest[taken..];
    }
    found
}

/// Takes a name: of a function, a clause, or a metric with its labels. Returns its length.
fn name(text: &str, found: &mut Vec<Selector>) -> usize {
    let length = word(text);
    let (name, after) = (&text[..length], text[length..].trim_start());
    let gap = text.len() - length - after.len();
    let grouped = ["by", "without"].contains(&&after[..word(after)]);
    match after.chars().next() {
        Some('(') if LISTS.contains(&name) => length + gap + after.find(')').map_or(after.len(), |at| at + 1),
        // A function, a word between two expressions, or `sum by (job) (…)`.
        Some('(') => length,
        _ if WORDS.contains(&name) || LISTS.contains(&name) || grouped => length,
        Some('{') => {
            let braces = piece(after);
            let labels = after[1..braces].trim_end_matches('}').trim().trim_end_matches(',').to_owned();
            found.push(Selector { name: name.to_owned(), labels });
            length + gap + braces
        }
        _ => {
            found.push(Selector { name: name.to_owned(), labels: String::new() });
            length
        }
    }
}

/// The length of what stands at the start: a text in quotes, braces with all in them, or one character.
pub(super) fn piece(text: &str) -> usize {
    match text.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => quoted(text, quote),
        Some('{') => {
            let mut at = 1;
            while at < text.len() && !text[at..].starts_with('}') {
                at += piece(&text[at..]);
            }
            (at + 1).min(text.len())
        }
        Some(c) => c.len_utf8(),
        None => 0,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            // In backticks, a backslash is only a backslash.
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of the word at the start.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, fs, path::Path};

    use promql_parser::{
        parser::{self, Expr},
        util::{ExprVisitor, walk_expr},
    };
    use serde_json::Value;

    use super::*;
    use crate::commands::drill::files;

    struct Parsed(Vec<String>);

    impl ExprVisitor for Parsed {
        type Error = Infallible;

        fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
            let selector = match expr {
                Expr::VectorSelector(selector) => selector,
                Expr::MatrixSelector(selector) => &selector.vs,
                _ => return Ok(true),
            };
            self.0.extend(selector.name.clone());
            Ok(true)
        }
    }

    /// Queries of all drills, and expressions of all rules.
    fn queries() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let drills = files::all(&root).unwrap();
        let of_drills = drills.values().flat_map(|drill| drill.queries()).map(|(_, query)| query.to_owned());
        let mut queries: Vec<String> = of_drills.collect();
        for folder in ["dashboards/rules", "dashboards/rules/lab"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "yml") {
                    let rules: Value = yaml::parse("rules", &fs::read_to_string(path).unwrap()).unwrap();
                    let groups = rules["groups"].as_array().unwrap().iter();
                    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
                    queries.extend(rules.map(|rule| rule["expr"].as_str().unwrap().to_owned()));
                }
            }
        }
        queries
    }

    #[test]
    fn it_finds_what_a_parser_finds_in_every_query_of_the_drills_and_the_rules() {
        let queries = queries();
        assert!(queries.len() > 300, "{}", queries.len());
        for query in queries {
            let expr = parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
            let mut parsed = Parsed(Vec::new());
            assert_eq!(walk_expr(&mut parsed, &expr), Ok(true));
            let mut found: Vec<String> = selectors(&query).into_iter().map(|one| one.name).collect();
            parsed.0.sort();
            found.sort();
            assert_eq!(found, parsed.0, "{query}");
        }
    }

    #[test]
    fn a_selector_keeps_its_labels_and_loses_its_times() {
        let query = "sum by (job) (rate(a_total{x=\"}\", alertname=\"B\"}[5m] offset 1m)) > on (job) c / 1e3";
        let found = selectors(query);
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a_total{x=\"}\", alertname=\"B\"}", "c"]);
        assert_eq!(
            (found[0].wants("alertname"), found[0].wants("name"), found[1].wants("x")),
            (Some("B"), None, None)
        );
    }
}
