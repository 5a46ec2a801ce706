//! A scenario from an OpenAPI document (3.0 or 3.1): a journey for each operation that can be called with what the document says.
//! Pure: text in, text out. People read and change what it writes.
//!
//! An id in a path has to exist. It comes from the parameter's example, from the operation that creates such a thing (with
//! `writes`), or from the one that lists them; an operation without any of these is left out, and a comment says so. Credentials are
//! in no document: a comment says where to add them.

mod links;
mod sample;

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Value, json};

use self::{links::Source, sample::Samples};

/// Methods that only read.
const READS: &[&str] = &["get", "head"];
/// Methods that change something.
const WRITES: &[&str] = &["post", "put", "patch", "delete"];

/// What the scenario is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Base URL of the system.
    pub target: String,
    /// Journeys per second.
    pub rate: f64,
    /// Seconds.
    pub seconds: u64,
    /// Whether operations that change something are called too.
    pub writes: bool,
}

/// One operation of a document.
#[derive(Debug, Clone, Copy)]
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    /// Parameters of the whole path, and the operation itself.
    shared: &'a Value,
    what: &'a Value,
}

/// Writes a scenario, as YAML.
///
/// # Errors
/// When the document has no operation that can be called.
pub fn scenario(document: &Value, options: &Options) -> Result<String, String> {
    let operations = operations(document);
    let (mut samples, mut journeys, mut left) = (Samples::new(document), String::new(), Vec::new());
    let mut names = BTreeSet::new();
    let called = |operation: &&Operation<'_>| options.writes || READS.contains(&operation.method);
    for operation in operations.iter().filter(called) {
        match links::source(document, &operations, operation, options.writes) {
            Some(source) => {
                let name = unique(name(operation), &mut names);
                journeys.push_str(&journey(&mut samples, operation, &source, &name));
            }
            None => left.push(format!("{} {}", operation.method.to_uppercase(), operation.path)),
        }
    }
    if journeys.is_empty() {
        let left = if left.is_empty() {
            String::new()
        } else {
            format!(": nothing says which ids exist for {}", left.join(", "))
        };
        return Err(format!("the document has no operation that can be called{left}"));
    }
    let title = document.pointer("/info/title").and_then(Value::as_str).unwrap_or("a service");
    let mut out = String::new();
    for left in left {
        let _ = writeln!(out, "# Left out, since nothing says which ids exist: {left}");
    }
    if document.get("security").and_then(Value::as_array).is_some_and(|asked| !asked.is_empty()) {
        out.push_str(
            "# The document asks for credentials: add `headers: {authorization: ...}` to the steps.\n",
        );
    }
    let (target, rate, seconds) = (json!(options.target), options.rate, options.seconds);
    let _ =
        writeln!(out, "description: {}", json!(format!("Every operation of {}.", title.replace('\n', " "))));
    let _ = writeln!(out, "targets: {{service: {target}}}");
    let _ = writeln!(out, "data: {}", samples.data());
    let _ = writeln!(
        out,
        "stages:\n  - {{kind: hold, for: {seconds}s, rate: {rate}}}\njourneys:\n{}",
        journeys.trim_end()
    );
    out.push_str("thresholds:\n  - errors < 0.1 %\n  - p99 < 250ms\n  - skipped == 0\n");
    Ok(out)
}

/// The path below which the document's operations are, `/api/v3`: that of its first server, or nothing. The host of that server is
/// not used: it is often the one in production.
#[must_use]
pub fn base_path(document: &Value) -> String {
    let Some(server) = document.pointer("/servers/0") else { return String::new() };
    let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let value = variable.get("default").and_then(Value::as_str).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), value);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.as_str(),
    };
    let path = path.trim_matches('/');
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut all = Vec::new();
    for (path, item) in paths.map(|(path, item)| (path.as_str(), item)) {
        let shared = item.get("parameters").unwrap_or(&Value::Null);
        let methods = READS.iter().chain(WRITES);
        all.extend(methods.filter_map(|method| {
            let what = item.get(*method)?;
            Some(Operation { path, method, shared, what })
        }));
    }
    all
}

/// One or two steps: where the id comes from, and the operation.
fn journey<'a>(
    samples: &mut Samples<'a>,
    operation: &Operation<'a>,
    source: &Source<'a>,
    name: &str,
) -> String {
    let mut out = format!("  - name: {name}\n    steps:\n");
    if let Source::Step { operation: first, variable, pointer } = source {
        let save = json!({ (*variable): pointer });
        out.push_str(&step(samples, first, &format!("{name}-first"), &format!(", save: {save}")));
    }
    out.push_str(&step(samples, operation, name, ""));
    out
}

fn step<'a>(samples: &mut Samples<'a>, operation: &Operation<'a>, name: &str, more: &str) -> String {
    let method = operation.method.to_uppercase();
    let path = samples.path(operation);
    let mut out = format!("      - {{name: {name}, method: {method}, path: {}", json!(path));
    let headers = samples.headers(operation);
    if !headers.is_empty() {
        let _ = write!(out, ", headers: {}", json!(headers));
    }
    if let Some(body) = samples.body(operation) {
        let _ = write!(out, ", body: {body}");
    }
    let statuses: Vec<u16> = good(operation).collect();
    if !statuses.is_empty() {
        let _ = write!(out, ", check: {{status: {}}}", json!(statuses));
    }
    let _ = writeln!(out, "{more}}}");
    out
}

/// The statuses below 400 that the document names.
fn good(operation: &Operation<'_>) -> impl Iterator<Item = u16> {
    let responses = operation.what.get("responses").and_then(Value::as_object).into_iter().flatten();
    responses.filter_map(|(status, _)| status.parse::<u16>().ok()).filter(|status| *status < 400)
}

/// `get-users-id`: at most 33 characters, so that `-first` still fits, and the same for the same operation.
fn name(operation: &Operation<'_>) -> String {
    let words = operation.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let all =
        std::iter::once(operation.method).chain(words).collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if all.len() <= 33 {
        return all;
    }
    // Long paths may begin alike.
    let sum = all.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("{}-{sum:08x}", all[..24].trim_end_matches('-'))
}

/// The name, with a number if another operation has it: `/a-b` and `/a/b` are the same words.
fn unique(name: String, names: &mut BTreeSet<String>) -> String {
    let (short, mut unique) = (name.chars().take(30).collect::<String>(), name);
    for number in 2.. {
        if names.insert(unique.clone()) {
            break;
        }
        unique = format!("{short}-{number}");
    }
    unique
}

#[cfg(test)]
mod tests;
