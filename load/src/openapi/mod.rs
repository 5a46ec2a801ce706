//! A scenario from an OpenAPI document (3.0 or 3.1): a journey for each operation that can be called with what the document says.
//! Pure: text in, text out. People read and change what it writes.
//!
//! An id in a path has to exist. It comes from the parameter's example, from the operation that creates such a thing (with
//! `writes`), or from the one that lists them; an operation without any of these is left out, and a comment says so.

mod links;
mod sample;

use std::fmt::Write;

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
    let called = |operation: &&Operation<'_>| options.writes || READS.contains(&operation.method);
    for operation in operations.iter().filter(called) {
        match links::source(document, &operations, operation, options.writes) {
            Some(source) => journeys.push_str(&journey(&mut samples, operation, &source)),
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
fn journey<'a>(samples: &mut Samples<'a>, operation: &Operation<'a>, source: &Source<'a>) -> String {
    let name = name(operation);
    let mut out = format!("  - name: {name}\n    steps:\n");
    if let Source::Step { operation: first, variable, pointer } = source {
        let save = json!({ (*variable): pointer });
        out.push_str(&step(samples, first, &format!("{name}-first"), &format!(", save: {save}")));
    }
    out.push_str(&step(samples, operation, &name, ""));
    out
}

fn step<'a>(samples: &mut Samples<'a>, operation: &Operation<'a>, name: &str, more: &str) -> String {
    let method = operation.method.to_uppercase();
    let path = samples.path(operation);
    let mut out = format!("      - {{name: {name}, method: {method}, path: {}", json!(path));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "info": {"title": "Pets"},
            "paths": {
                "/pets": {
                    "get": {
                        "parameters": [
                            {"name": "limit", "in": "query", "required": true, "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
                            {"name": "cursor", "in": "query", "schema": {"type": "string"}}
                        ],
                        "responses": {"200": {"content": {"application/json": {"schema": {
                            "type": "object", "properties": {"pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}
                        }}}}}
                    },
                    "post": {
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
                        "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}, "422": {}}
                    }
                },
                "/pets/{pet_id}": {"get": {"responses": {"200": {}, "404": {}}}},
                "/owners/{id}": {"get": {"responses": {"200": {}}}}
            },
            "components": {"schemas": {"Pet": {
                "type": "object", "required": ["id", "age", "mood"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "age": {"type": ["integer", "null"], "minimum": 0, "maximum": 30},
                    "mood": {"enum": ["calm", "wild"]},
                    "note": {"type": "string"}
                }
            }}}
        })
    }

    fn options(writes: bool) -> Options {
        Options { target: "http://127.0.0.1:1".to_owned(), rate: 5.0, seconds: 30, writes }
    }

    fn read(text: &str) -> crate::scenario::Scenario {
        crate::scenario::read("pets.yaml", text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
    }

    #[test]
    fn ids_come_from_the_list_or_from_what_was_created() {
        let text = scenario(&document(), &options(false)).unwrap();
        assert!(text.contains("# Left out, since nothing says which ids exist: GET /owners/{id}"), "{text}");
        let reads = read(&text);
        let one = reads.journeys.iter().find(|journey| journey.name == "get-pets-pet-id").unwrap();
        assert_eq!(one.steps[0].save, [("pet_id".to_owned(), "/pets/0/id".to_owned())]);
        assert!(reads.steps().all(|(_, step)| step.method == http::Method::GET));

        let writes = read(&scenario(&document(), &options(true)).unwrap());
        let one = writes.journeys.iter().find(|journey| journey.name == "get-pets-pet-id").unwrap();
        assert_eq!(
            (&one.steps[0].method, one.steps[0].status.as_slice()),
            (&http::Method::POST, [201].as_slice())
        );
        assert_eq!(one.steps[0].save, [("pet_id".to_owned(), "/id".to_owned())]);
        let body = one.steps[0].body.as_ref().unwrap();
        assert!(body.get("note").is_none() && body["age"].as_str().unwrap().starts_with("${"), "{body}");
    }

    #[test]
    fn a_document_without_operations_is_refused() {
        assert!(scenario(&json!({"openapi": "3.1.0"}), &options(true)).is_err());
    }
}
