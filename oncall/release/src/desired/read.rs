//! Reads the files of a state. They are refused with every mistake and its place, or what they say can be wanted. Whether a
//! version exists, and whether a rule does what it should, only the lab knows: its gate asks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serde_saphyr::Spanned;
use yaml::{
    Problem, Problems, Reader, shape,
    shape::{Shape as _, Word},
};

use super::{Canary, Desired, Drift, Limit, Mode, Service, model::NONE};

/// The file of the state.
pub const FILE: &str = "desired.yaml";
/// The folder of the files of rules.
pub const RULES: &str = "waf/";
/// Longest name.
const LONGEST: usize = 63;
/// Most percent for a canary: its baseline has as much.
const MOST: u32 = 50;

/// Files by their path in the repository.
pub type Tree = BTreeMap<String, String>;

shape! {
    /// What should run in the lab.
    Document {
        /// Services by name.
        services: Spanned<BTreeMap<String, Spanned<RawService>>>,
        /// What every client may send; left out: not decided here.
        limit: Option<Spanned<RawLimit>>,
        /// Whether the firewall is on; left out: not decided here.
        firewall: Option<Spanned<bool>>,
        /// Modes of rules of the firewall, by the name of the rule; others are as their files say.
        modes: Option<BTreeMap<String, Spanned<Word<Mode>>>>,
        /// What becomes of something that was changed by hand: it is set back (heal, the default), or only shown (keep).
        drift: Option<Spanned<Word<Drift>>>,
    }
}

shape! {
    /// A service.
    RawService {
        /// Its version.
        version: Spanned<String>,
        /// The new version, during a release.
        canary: Option<Spanned<RawCanary>>,
        /// Its flags that are decided here: protections by name, and whether each is on.
        flags: Option<BTreeMap<String, Spanned<bool>>>,
    }
}

shape! {
    /// The new version during a release; a baseline of the old one has the same weight.
    RawCanary {
        /// The new version.
        version: Spanned<String>,
        /// Percent of the requests, 0 to 50.
        weight: Spanned<u32>,
    }
}

shape! {
    /// What every client may send.
    RawLimit {
        /// Requests per second, 1 to 1,000,000.
        rps: Spanned<u32>,
        /// Requests at once, 1 to 1,000,000.
        burst: Spanned<u32>,
    }
}

/// The JSON Schema of `desired.yaml`, from the types that read it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Document::shape();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("Desired state"));
    }
    schema
}

/// Reads the files of a state.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(tree: &Tree) -> Result<Desired, Problems> {
    let Some(text) = tree.get(FILE) else {
        let message = "there is no such file: expected what should run".to_owned();
        return Err(place(FILE, 1, "document", message).into());
    };
    let document = yaml::parse::<Document>(FILE, text)?;
    let mut reader = Reader::of(FILE);
    let mut desired = desired(&mut reader, &document);
    for (path, text) in tree {
        match rule(path) {
            Some(rule) => {
                name(&mut reader, path, 1, "name", rule);
                desired.rules.insert(rule.to_owned(), text.clone());
            }
            None if path == FILE || path == "README.md" => {}
            None => {
                let message = format!("expected {FILE}, README.md and {RULES}<rule>.yaml, and nothing else");
                reader.record(place(path, 1, "document", message));
            }
        }
    }
    reader.finish(Some(desired))
}

/// The rule of a file's path.
fn rule(path: &str) -> Option<&str> {
    path.strip_prefix(RULES)?.strip_suffix(".yaml")
}

fn place(file: &str, line: u64, field: &str, message: String) -> Problem {
    Problem { file: file.to_owned(), line, field: field.to_owned(), message }
}

fn desired(reader: &mut Reader<'_>, document: &Document) -> Desired {
    if document.services.value.is_empty() {
        reader.wrong(&document.services, "services", "empty: expected at least one service");
    }
    let services = document.services.value.iter();
    let services = services.map(|(name, raw)| (name.clone(), service(reader, name, raw))).collect();
    let limit = document.limit.as_ref().map(|raw| Limit {
        rps: f64::from(number(reader, &raw.value.rps, "limit.rps", 1_000_000)),
        burst: number(reader, &raw.value.burst, "limit.burst", 1_000_000),
    });
    let firewall = document.firewall.as_ref().map(|on| on.value);
    let mut modes = BTreeMap::new();
    for (rule, raw) in document.modes.iter().flatten() {
        let field = format!("modes.{rule}");
        name(reader, FILE, raw.referenced.line(), &field, rule);
        match raw.value.read() {
            Ok(mode) => {
                modes.insert(rule.clone(), mode);
            }
            Err(message) => reader.wrong(raw, &field, message),
        }
    }
    let mut drift = Drift::default();
    if let Some(raw) = &document.drift {
        match raw.value.read() {
            Ok(read) => drift = read,
            Err(message) => reader.wrong(raw, "drift", message),
        }
    }
    Desired { services, limit, firewall, modes, rules: BTreeMap::new(), drift }
}

fn service(reader: &mut Reader<'_>, name: &str, at: &Spanned<RawService>) -> Service {
    let (raw, field) = (&at.value, format!("services.{name}"));
    self::name(reader, FILE, at.referenced.line(), &field, name);
    version(reader, &raw.version, &format!("{field}.version"));
    if let Some(canary) = &raw.canary {
        version(reader, &canary.value.version, &format!("{field}.canary.version"));
        let weight = canary.value.weight.value;
        if weight > MOST {
            let message =
                format!("expected 0 to {MOST} percent, because the baseline has as much, found {weight}");
            reader.wrong(&canary.value.weight, &format!("{field}.canary.weight"), message);
        }
        if canary.value.version.value == raw.version.value {
            let message = format!("the service already runs `{}`", raw.version.value);
            reader.wrong(&canary.value.version, &format!("{field}.canary.version"), message);
        }
    }
    let mut flags = BTreeMap::new();
    for (flag, on) in raw.flags.iter().flatten() {
        self::name(reader, FILE, on.referenced.line(), &format!("{field}.flags.{flag}"), flag);
        flags.insert(flag.clone(), on.value);
    }
    let canary = raw.canary.as_ref().map(|canary| Canary {
        version: canary.value.version.value.clone(),
        weight: canary.value.weight.value,
    });
    Service { version: raw.version.value.clone(), canary, flags }
}

/// Words of a-z and 0-9 joined by `-`.
fn name(reader: &mut Reader<'_>, file: &str, line: u64, field: &str, name: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let word = |word: &str| !word.is_empty() && word.chars().all(plain);
    if name.len() > LONGEST || !name.split('-').all(word) {
        let message = format!("`{name}` is not a name: expected words of a-z and 0-9 joined by `-`");
        reader.record(place(file, line, field, message));
    }
}

/// A version may be a name, a number or the start of a digest; never a path.
fn version(reader: &mut Reader<'_>, at: &Spanned<String>, field: &str) {
    let text = at.value.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if text.len() > LONGEST || !starts || !text.chars().all(plain) || text == NONE {
        let message =
            format!("`{text}` is not a version: expected letters, digits and . - _ + such as 1.4.2");
        reader.wrong(at, field, message);
    }
}

fn number(reader: &mut Reader<'_>, at: &Spanned<u32>, field: &str, most: u32) -> u32 {
    if !(1..=most).contains(&at.value) {
        reader.wrong(at, field, format!("expected 1 to {most}, found {}", at.value));
    }
    at.value
}
