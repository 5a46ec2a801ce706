//! Reads `oncall.yaml`: people, schedules, escalation policies, webhooks; and schedules and policies from beside it.
//!
//! A file is either refused, with every problem and its place, or each of its schedules has exactly one primary at each
//! instant. Nothing is guessed and nothing is ignored.

mod extra;
mod parts;
mod policies;
pub(crate) mod raw;
mod schedules;
mod values;

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use yaml::{Problems, Reader};

pub use self::extra::{Extra, written};
use crate::{Contact, ContactKind, Person, Rota, Webhook};

/// Longest list of people, schedules, layers, overrides, shifts, policies, steps or webhooks.
const LONGEST: usize = 500;

/// Reads a file; `file` is its name in messages.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str) -> Result<Rota, Problems> {
    read_with(file, text, &[])
}

/// Reads a file together with schedules and policies from beside it, which come after its own and may use them.
///
/// # Errors
/// All problems of the whole, each with the file or the document that it is in, line and field.
pub fn read_with(file: &str, text: &str, extras: &[Extra]) -> Result<Rota, Problems> {
    let mut document = yaml::parse::<raw::Document>(file, text)?;
    let places = extra::merge(&mut document, extras)?;
    let mut reader = Reader::of(file);
    let people = people(&mut reader, &document.people);
    let webhooks = webhooks(&mut reader, &document.webhooks);
    let schedules = schedules::schedules(&mut reader, &document.schedules, &people);
    let names = policies::Names {
        people: people.keys().cloned().collect(),
        // Schedules with a problem count as known: one mistake, one message.
        schedules: document
            .schedules
            .value
            .iter()
            .map(|schedule| schedule.value.name.value.clone())
            .collect(),
        webhooks: document.webhooks.iter().map(|webhook| webhook.value.name.value.clone()).collect(),
    };
    let policies = policies::policies(&mut reader, &document.policies, &names);
    let read = reader.finish(Some(Rota { people, schedules, policies, webhooks }));
    read.map_err(|Problems(problems)| {
        Problems(problems.into_iter().map(|problem| places.of(problem)).collect())
    })
}

/// Values of schedules and policies.
trait Values {
    /// A name that no entry before it has.
    fn name<'n>(&mut self, at: &'n raw::Text, field: &str, before: &mut Vec<&'n str>) -> Option<String>;

    /// A name that is in a list; `list` is what the message calls it.
    fn known<'k>(
        &mut self,
        at: &raw::Text,
        field: &str,
        list: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) -> Option<String>;

    /// A list; refuses one that nobody writes by hand.
    fn list<'l, T>(&mut self, field: &str, list: &'l [Spanned<T>]) -> &'l [Spanned<T>];
}

impl Values for Reader<'_> {
    fn name<'n>(&mut self, at: &'n raw::Text, field: &str, before: &mut Vec<&'n str>) -> Option<String> {
        let name = self.take(at, field, values::name(&at.value))?;
        if before.contains(&at.value.as_str()) {
            self.wrong(at, field, format!("`{name}` is already taken: expected a different name"));
            return None;
        }
        before.push(&at.value);
        Some(name)
    }

    fn known<'k>(
        &mut self,
        at: &raw::Text,
        field: &str,
        list: &str,
        mut known: impl Iterator<Item = &'k String> + Clone,
    ) -> Option<String> {
        if known.clone().any(|name| *name == at.value) {
            return Some(at.value.clone());
        }
        let expected = match known.next() {
            None => format!("`{list}` is empty"),
            Some(first) => {
                let names: Vec<&str> = std::iter::once(first).chain(known).map(String::as_str).collect();
                format!("expected one of {}", names.join(", "))
            }
        };
        self.wrong(at, field, format!("`{}` is not in `{list}`: {expected}", at.value));
        None
    }

    fn list<'l, T>(&mut self, field: &str, list: &'l [Spanned<T>]) -> &'l [Spanned<T>] {
        if let Some(first) = list.get(LONGEST) {
            self.wrong(first, field, format!("expected at most {LONGEST} entries, found {}", list.len()));
        }
        list.get(..LONGEST).unwrap_or(list)
    }
}

fn people(reader: &mut Reader, list: &Spanned<Vec<Spanned<raw::Person>>>) -> BTreeMap<String, Person> {
    if list.value.is_empty() {
        reader.wrong(list, "people", "empty: expected at least one person");
    }
    let (mut people, mut before) = (BTreeMap::new(), Vec::new());
    for (index, raw) in reader.list("people", &list.value).iter().enumerate() {
        let field = |name: &str| format!("people[{index}].{name}");
        let raw = &raw.value;
        let name = reader.name(&raw.name, &field("name"), &mut before);
        let zone = reader.take(&raw.zone, &field("zone"), crate::Zone::named(&raw.zone.value));
        let contacts = contacts(reader, &raw.contacts, &field("contacts"));
        let title = raw.title.as_ref().map_or(&raw.name.value, |title| &title.value).trim().to_owned();
        if let (Some(name), Some(zone)) = (name, zone) {
            people.insert(name.clone(), Person { name, title, zone, contacts });
        }
    }
    people
}

fn contacts(reader: &mut Reader, list: &[Spanned<raw::Contact>], field: &str) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for (index, raw) in reader.list(field, list).iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        let text = raw.value.kind.value.text();
        let kind = text.parse::<ContactKind>();
        let kind = kind.map_err(|_| format!("expected {}, found `{text}`", ContactKind::NAMES));
        let Some(kind) = reader.take(&raw.value.kind, &at("kind"), kind) else { continue };
        match (kind.address(), &raw.value.to) {
            (Some(what), None) => reader.wrong(raw, &at("to"), format!("missing: expected {what}")),
            (None, Some(to)) => reader.wrong(to, &at("to"), "expected none: this contact has no address"),
            (Some(what), Some(to)) if !kind.takes(&to.value) => {
                reader.wrong(to, &at("to"), format!("expected {what}, found `{}`", to.value));
            }
            (_, to) => contacts.push(Contact { kind, to: to.as_ref().map(|to| to.value.clone()) }),
        }
    }
    contacts
}

fn webhooks(reader: &mut Reader, list: &[Spanned<raw::Webhook>]) -> BTreeMap<String, Webhook> {
    let (mut webhooks, mut before) = (BTreeMap::new(), Vec::new());
    for (index, raw) in reader.list("webhooks", list).iter().enumerate() {
        let field = |name: &str| format!("webhooks[{index}].{name}");
        let name = reader.name(&raw.value.name, &field("name"), &mut before);
        let url = raw.value.url.value.clone();
        let url = if ContactKind::Webhook.takes(&url) {
            Ok(url)
        } else {
            Err(format!("expected a URL, such as https://example.org/page, found `{url}`"))
        };
        let url = reader.take(&raw.value.url, &field("url"), url);
        if let (Some(name), Some(url)) = (name, url) {
            webhooks.insert(name.clone(), Webhook { name, url });
        }
    }
    webhooks
}
