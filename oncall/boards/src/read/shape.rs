//! Compares JSON with what can be drawn: every setting has to be in a list of rules, with a value that it allows.

use serde_json::Value;

use crate::Problem;

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum May {
    /// Any text.
    Text,
    /// Any number.
    Number,
    /// A number, or `null`.
    Limit,
    /// `true` or `false`: both are drawn the same, or both are implemented.
    Flag,
    /// One of these, as text or as JSON.
    Be(&'static [&'static str]),
    /// An empty list or object.
    Nothing,
    /// Whatever: another list has its rules.
    Elsewhere,
}

/// A setting, and what it may be. In its path `[]` is any item of a list and `*` any key.
pub(super) type Rule = (&'static str, May);

/// Reports every setting below `place` that no rule allows.
pub(super) fn check(value: &Value, rules: &[&[Rule]], place: &str, problems: &mut Vec<Problem>) {
    let mut path = Vec::new();
    Check { rules, place, problems }.walk(value, &mut path);
}

struct Check<'a> {
    rules: &'a [&'a [Rule]],
    place: &'a str,
    problems: &'a mut Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Item(usize),
}

impl Check<'_> {
    fn walk(&mut self, value: &Value, path: &mut Vec<Part>) {
        let rule = self.rule(path);
        match value {
            _ if matches!(rule, Some(May::Elsewhere)) => {}
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.step(Part::Key(key.clone()), value, path);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (at, value) in items.iter().enumerate() {
                    self.step(Part::Item(at), value, path);
                }
            }
            Value::Object(_) | Value::Array(_) if self.leads_on(path) => {}
            value => match rule {
                Some(rule) => self.compare(value, rule, path),
                None => self.problem(
                    path,
                    "this setting is not known here; remove it, or teach `oncall/boards` to draw it",
                ),
            },
        }
    }

    fn step(&mut self, part: Part, value: &Value, path: &mut Vec<Part>) {
        path.push(part);
        self.walk(value, path);
        path.pop();
    }

    fn rule(&self, path: &[Part]) -> Option<May> {
        let mut all = self.rules.iter().copied().flatten();
        all.find(|(pattern, _)| matching(pattern, path) == Some(0)).map(|(_, may)| *may)
    }

    /// Whether there are rules about what is below this path, or one that it may be empty.
    fn leads_on(&self, path: &[Part]) -> bool {
        let mut all = self.rules.iter().copied().flatten();
        all.any(|(pattern, may)| match matching(pattern, path) {
            Some(0) => matches!(may, May::Nothing),
            longer => longer.is_some(),
        })
    }

    fn compare(&mut self, value: &Value, may: May, path: &[Part]) {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (fits, expected) = match may {
            May::Text => (value.is_string(), "a text".to_owned()),
            May::Number => (value.is_number(), "a number".to_owned()),
            May::Limit => (value.is_number() || value.is_null(), "a number or null".to_owned()),
            May::Flag => (value.is_boolean(), "true or false".to_owned()),
            May::Be(list) => (list.contains(&plain.as_str()), list.join(", ")),
            May::Nothing => (false, "nothing".to_owned()),
            May::Elsewhere => (true, String::new()),
        };
        if !fits {
            let shown = if plain.is_empty() { "an empty text".to_owned() } else { format!("`{plain}`") };
            self.problem(path, &format!("{shown} cannot be drawn; expected {expected}"));
        }
    }

    fn problem(&mut self, path: &[Part], message: &str) {
        let mut place = self.place.to_owned();
        for (at, part) in path.iter().enumerate() {
            match part {
                Part::Item(item) => place.push_str(&format!("[{item}]")),
                Part::Key(key) if at == 0 && self.place.is_empty() => place.push_str(key),
                Part::Key(key) if at == 0 => place.push_str(&format!(": {key}")),
                Part::Key(key) => place.push_str(&format!(".{key}")),
            }
        }
        self.problems.push(Problem { place, message: message.to_owned() });
    }
}

/// How many parts the pattern is longer than the path; nothing if they differ.
fn matching(pattern: &str, path: &[Part]) -> Option<usize> {
    let mut parts = pattern.split('.').filter(|part| !part.is_empty());
    for part in path {
        let wanted = parts.next()?;
        let same = match part {
            Part::Item(_) => wanted == "[]",
            Part::Key(key) => wanted == "*" || wanted == key,
        };
        if !same {
            return None;
        }
    }
    Some(parts.count())
}
