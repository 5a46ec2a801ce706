//! Reads `runbooks/<Alert>.yaml` and `guardrails.yaml`.
//!
//! A file is either refused, with every problem and its place, or all that it says can be done: each verb and query
//! exists, each hole has a value, each act is followed by a proof that it helped. Nothing is guessed and nothing is
//! ignored.

mod acts;
mod branches;
mod looks;
mod parameters;
pub(crate) mod raw;
mod rules;
mod steps;

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Spanned;
use yaml::Problems;

use crate::{
    Guardrails, Runbook,
    class::Class,
    guardrails::Rule,
    model::{BUILT_IN, Precondition},
    parameter::{Kind, words},
    template::Template,
};

/// Longest list of steps, preconditions, services or rules.
pub const LONGEST: usize = 100;
/// Longest time in a file.
const A_WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Reads a runbook; `file` is its name in messages, and its stem is the name of the runbook.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn runbook(file: &str, text: &str) -> Result<Runbook, Problems> {
    let document = yaml::parse::<raw::Document>(file, text)?;
    let mut reader = Reader::with(file, BTreeMap::new());
    let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".yaml").to_owned();
    if let Some(alert) = &document.alert
        && alert.value != name
    {
        reader.wrong(
            alert,
            "alert",
            format!("expected `{name}`, as the file is called, found `{}`", alert.value),
        );
    }
    let title = reader.sentence(&document.title, "title");
    let class = class(&mut reader, &document);
    let parameters = parameters::parameters(&mut reader, &document.parameters);
    reader.state = BUILT_IN.iter().map(|name| ((*name).to_owned(), "example".to_owned())).collect();
    let examples = parameters.iter().map(|parameter| (parameter.name.clone(), parameter.kind.example()));
    reader.state.extend(examples);
    // Parameters with a problem count as known: one mistake, one message.
    for name in document.parameters.keys() {
        reader.state.entry(name.clone()).or_insert_with(|| "example".to_owned());
    }
    let services = services(&mut reader, &document.services);
    let preconditions = preconditions(&mut reader, &document.preconditions);
    let steps = steps::steps(&mut reader, &document.steps);
    let alert = document.alert.map(|alert| alert.value);
    let read = |title| Runbook { name, alert, title, class, services, parameters, preconditions, steps };
    reader.finish(title.map(read))
}

/// Reads guardrails; `file` is its name in messages.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn guardrails(file: &str, text: &str) -> Result<Guardrails, Problems> {
    let document = yaml::parse::<raw::Guardrails>(file, text)?;
    let mut reader = Reader::with(file, BTreeMap::new());
    let guardrails = rules::guardrails(&mut reader, &document);
    reader.finish(guardrails)
}

/// Reads rules from beside the file: `rules`, as there. YAML, and so JSON too.
///
/// # Errors
/// All problems, each with `file`, line and field.
pub fn extra_rules(file: &str, text: &str) -> Result<Vec<Rule>, Problems> {
    let document = yaml::parse::<raw::Rules>(file, text)?;
    let mut reader = Reader::with(file, BTreeMap::new());
    let rules = rules::rules(&mut reader, &document.rules);
    reader.finish(Some(rules))
}

/// What kind of work it is; what an alert starts is toil, whatever the file says.
fn class(reader: &mut Reader<'_>, document: &raw::Document) -> Class {
    let Some(class) = &document.class else { return Class::default() };
    if document.alert.is_some() {
        reader.wrong(class, "class", "expected none: only a procedure, which has no alert, is planned work");
    }
    let read = class.value.read();
    reader.take(class, "class", read).unwrap_or_default()
}

fn services(reader: &mut Reader<'_>, list: &Spanned<Vec<raw::Text>>) -> Vec<Template> {
    if list.value.is_empty() {
        reader.wrong(list, "services", "empty: expected at least one service");
    }
    let mut services = Vec::new();
    for (index, text) in list.value.iter().take(LONGEST).enumerate() {
        services.extend(reader.filled(text, &format!("services[{index}]"), &Kind::Word));
    }
    services
}

fn preconditions(reader: &mut Reader<'_>, list: &[Spanned<raw::Precondition>]) -> Vec<Precondition> {
    let (mut preconditions, mut before) = (Vec::new(), Vec::new());
    for (index, raw) in reader.list("preconditions", list).iter().enumerate() {
        let field = format!("preconditions[{index}]");
        let raw::Precondition { name, what, promql, log, is, empty } = &raw.value;
        let name = reader.name(name, &format!("{field}.name"), &mut before);
        let what = reader.sentence(what, &format!("{field}.what"));
        let look = looks::value(reader, raw, &field, &looks::Value { promql, log, is, empty });
        if let (Some(name), Some(what), Some(look)) = (name, what, look) {
            preconditions.push(Precondition { name, what, look });
        }
    }
    preconditions
}

/// Collects problems, and remembers a value for each hole, to try texts with.
type Reader<'a> = yaml::Reader<'a, BTreeMap<String, String>>;

/// Values of runbooks and guardrails.
trait Values {
    /// A name that no entry before it has: words of a-z and 0-9 joined by `-`.
    fn name<'n>(&mut self, at: &'n raw::Text, field: &str, before: &mut Vec<&'n str>) -> Option<String>;

    /// A text for people.
    fn sentence(&mut self, at: &raw::Text, field: &str) -> Option<String>;

    /// A text whose holes are known.
    fn template<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str) -> Option<Template>;

    /// A text that is a value of a kind once its holes are filled.
    fn filled<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str, kind: &Kind) -> Option<Template>;

    /// A time of at least `least`, at most a week.
    fn duration<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str, least: Duration) -> Option<Duration>;

    /// A whole number within bounds.
    fn number(&mut self, at: &Spanned<u32>, field: &str, least: u32, most: u32) -> Option<u32>;

    /// A list; refuses one that nobody writes by hand.
    fn list<'l, T>(&mut self, field: &str, list: &'l [Spanned<T>]) -> &'l [Spanned<T>];
}

impl Values for Reader<'_> {
    fn name<'n>(&mut self, at: &'n raw::Text, field: &str, before: &mut Vec<&'n str>) -> Option<String> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        let name = at.value.as_str();
        if name.len() > 63 || !name.split('-').all(word) {
            let message = format!("`{name}` is not a name: expected words of a-z and 0-9 joined by `-`");
            self.wrong(at, field, message);
            return None;
        }
        if before.contains(&name) {
            self.wrong(at, field, format!("`{name}` is already taken: expected a different name"));
            return None;
        }
        before.push(name);
        Some(name.to_owned())
    }

    fn sentence(&mut self, at: &raw::Text, field: &str) -> Option<String> {
        let text = at.value.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            self.wrong(at, field, "empty: expected a few words");
            return None;
        }
        Some(text)
    }

    fn template<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str) -> Option<Template> {
        let template = Template::new(at.value.as_ref(), &self.state);
        self.take(at, field, template)
    }

    fn filled<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str, kind: &Kind) -> Option<Template> {
        let template = self.template(at, field)?;
        let sound = kind.check(&template.render(&self.state));
        self.take(at, field, sound)?;
        Some(template)
    }

    fn duration<T: AsRef<str>>(&mut self, at: &Spanned<T>, field: &str, least: Duration) -> Option<Duration> {
        let text = at.value.as_ref();
        let time = crate::parameter::duration(text).filter(|time| (least..=A_WEEK).contains(time));
        let time = time.ok_or_else(|| {
            format!("expected a time from {} to 7d, such as 15m, found `{text}`", words(least))
        });
        self.take(at, field, time)
    }

    fn number(&mut self, at: &Spanned<u32>, field: &str, least: u32, most: u32) -> Option<u32> {
        self.take(at, field, yaml::within(at.value, least, most))
    }

    fn list<'l, T>(&mut self, field: &str, list: &'l [Spanned<T>]) -> &'l [Spanned<T>] {
        if let Some(first) = list.get(LONGEST) {
            self.wrong(first, field, format!("expected at most {LONGEST} entries, found {}", list.len()));
        }
        list.get(..LONGEST).unwrap_or(list)
    }
}
