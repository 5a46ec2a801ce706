//! Values for parameters and bodies, from their schemas. Numbers of a range and choices become data of the scenario, drawn again by
//! each journey.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Operation;

/// Schemas may contain themselves.
const DEEPEST: usize = 8;
/// Headers that a document describes elsewhere, by the specification: those of a parameter with this name mean nothing.
const ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];
/// Names a request: it is new in every run, even if the document does not require it, or a second run would repeat the first.
const IDEMPOTENCY: &str = "idempotency-key";

/// Makes values, and remembers which data they need.
pub(super) struct Samples<'a> {
    document: &'a Value,
    data: BTreeMap<String, Value>,
}

impl<'a> Samples<'a> {
    pub(super) const fn new(document: &'a Value) -> Self {
        Self { document, data: BTreeMap::new() }
    }

    /// The `data` of the scenario, as JSON, which is YAML too.
    pub(super) fn data(&self) -> Value {
        json!(self.data)
    }

    /// Path and query. A parameter of the path without an example is a variable with its name, which an earlier step saves.
    pub(super) fn path(&mut self, operation: &Operation<'a>) -> String {
        let (mut path, mut query) = (operation.path.to_owned(), Vec::new());
        for parameter in parameters(self.document, operation) {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            let given = example(parameter).cloned();
            match place {
                "path" => {
                    if let Some(given) = given {
                        path = path.replace(&format!("{{{name}}}"), &encoded(&plain(&given)));
                    }
                }
                "query" if required || given.is_some() => {
                    let schema = parameter.get("schema").unwrap_or(&Value::Null);
                    let value = given.unwrap_or_else(|| self.value(name, schema, 0));
                    query.push(format!("{name}={}", encoded(&plain(&value))));
                }
                _ => {}
            }
        }
        // What is left in braces becomes a variable.
        let path = path.replace('{', "${");
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// Headers that the operation requires, and the key that makes it idempotent.
    pub(super) fn headers(&mut self, operation: &Operation<'a>) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        for parameter in parameters(self.document, operation) {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            let is_header = parameter.get("in").and_then(Value::as_str) == Some("header");
            let wanted = required || name == IDEMPOTENCY;
            if !is_header || !wanted || ELSEWHERE.contains(&name.as_str()) {
                continue;
            }
            let value = match example(parameter) {
                _ if name == IDEMPOTENCY => self.drawn(&name, json!({ "kind": "fresh" })),
                Some(given) => given.clone(),
                None => self.value(&name, parameter.get("schema").unwrap_or(&Value::Null), 0),
            };
            headers.insert(name, plain(&value));
        }
        headers
    }

    /// A JSON body, if the operation has one.
    pub(super) fn body(&mut self, operation: &Operation<'a>) -> Option<Value> {
        let body = resolved(self.document, operation.what.get("requestBody")?);
        let content = body.get("content")?.get("application/json")?;
        if let Some(example) = example(content) {
            return Some(example.clone());
        }
        Some(self.value("body", content.get("schema")?, 0))
    }

    fn value(&mut self, name: &str, schema: &'a Value, depth: usize) -> Value {
        let schema = resolved(self.document, schema);
        if let Some(given) = example(schema).or_else(|| schema.get("const")).or_else(|| schema.get("default"))
        {
            return given.clone();
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(list) = schema.get("enum").and_then(Value::as_array) {
            return self.drawn(name, json!({ "kind": "pick", "of": list }));
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all(name, (schema, parts.as_slice()), depth);
        }
        for key in ["oneOf", "anyOf"] {
            // `null` is a choice that says nothing.
            let mut choices = schema.get(key).and_then(Value::as_array).into_iter().flatten();
            let first = choices.find(|choice| kind(resolved(self.document, choice)) != "null");
            if let Some(first) = first.filter(|_| schema.get("properties").is_none()) {
                return self.value(name, first, depth + 1);
            }
        }
        match kind(schema) {
            "integer" => {
                let at = |key: &str| schema.get(key).and_then(Value::as_i64);
                let min = at("minimum").unwrap_or(1);
                let max = at("maximum").unwrap_or(min.saturating_add(99)).max(min);
                self.drawn(name, json!({ "kind": "integer", "min": min, "max": max }))
            }
            "number" => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
            "boolean" => json!(true),
            "array" => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                json!([self.value(name, items, depth + 1)])
            }
            "object" => self.object(schema, depth),
            _ => self.string(name, schema),
        }
    }

    /// Required properties only: the smallest valid object.
    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut made = Map::new();
        for name in required.filter_map(Value::as_str) {
            let property = schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
            made.insert(name.to_owned(), self.value(name, property, depth + 1));
        }
        Value::Object(made)
    }

    /// What fits all parts of an `allOf`, and what is beside it: the properties of all of them, or the first that is no object.
    fn all(&mut self, name: &str, (schema, parts): (&'a Value, &'a [Value]), depth: usize) -> Value {
        let mut made = match self.object(schema, depth) {
            Value::Object(own) => own,
            _ => Map::new(),
        };
        let mut other = None;
        for part in parts {
            match self.value(name, part, depth + 1) {
                Value::Object(more) => made.extend(more),
                value => other = other.or(Some(value)),
            }
        }
        if made.is_empty() { other.unwrap_or_else(|| json!({})) } else { Value::Object(made) }
    }

    fn string(&mut self, name: &str, schema: &Value) -> Value {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        // An address is often unique, whether the document says so or not.
        if format == "email" || (format.is_empty() && name.to_ascii_lowercase().contains("email")) {
            let variable = self.drawn(name, json!({ "kind": "fresh" }));
            return json!(format!("{}@example.org", plain(&variable)));
        }
        match format {
            "uuid" => self.drawn(name, json!({ "kind": "uuid" })),
            "date" => json!("2026-01-31"),
            "date-time" => json!("2026-01-31T12:00:00Z"),
            "uri" | "url" => json!("https://example.org"),
            _ => {
                let at =
                    |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
                let (least, most) = (at("minLength").unwrap_or(1).min(1_000), at("maxLength").unwrap_or(8));
                json!("x".repeat(least.max(most.min(8))))
            }
        }
    }

    /// A variable that each journey draws.
    fn drawn(&mut self, name: &str, how: Value) -> Value {
        let mut variable = name.to_owned();
        // The same name with another range is another variable.
        while self.data.get(&variable).is_some_and(|known| *known != how) {
            variable.push('_');
        }
        self.data.insert(variable.clone(), how);
        json!(format!("${{{variable}}}"))
    }
}

/// Parameters of the path and of the operation.
pub(super) fn parameters<'a>(
    document: &'a Value,
    operation: &Operation<'a>,
) -> impl Iterator<Item = &'a Value> {
    let own = operation.what.get("parameters").unwrap_or(&Value::Null);
    let both = [operation.shared, own].into_iter().filter_map(Value::as_array).flatten();
    both.map(move |parameter| resolved(document, parameter))
}

/// What a `$ref` of the document points to.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut at = value;
    for _ in 0..DEEPEST {
        let Some(pointer) = at.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'))
        else {
            return at;
        };
        at = document.pointer(pointer).unwrap_or(&Value::Null);
    }
    at
}

/// The example of a parameter, of a content or of a schema.
pub(super) fn example(of: &Value) -> Option<&Value> {
    let named = || of.get("examples")?.as_object()?.values().next()?.get("value");
    let first = || of.get("examples")?.as_array()?.first();
    let inner = || of.get("schema")?.get("example");
    of.get("example").or_else(named).or_else(first).or_else(inner)
}

/// The properties of a schema, those of the parts of an `allOf` included.
pub(super) fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let (mut all, mut left) = (Vec::new(), vec![(schema, 0)]);
    while let Some((schema, depth)) = left.pop() {
        let schema = resolved(document, schema);
        let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        all.extend(own.map(|(name, property)| (name.as_str(), property)));
        if depth < DEEPEST {
            let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
            left.extend(parts.map(|part| (part, depth + 1)));
        }
    }
    all
}

/// The type of a schema; of a list of types the first that is not `null`.
pub(super) fn kind(schema: &Value) -> &str {
    let kind = match schema.get("type") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(kind) => kind.as_str(),
        None => None,
    };
    kind.unwrap_or(if schema.get("properties").is_some() { "object" } else { "string" })
}

/// Text in a path or a query, percent-encoded where it has to be; variables stay.
fn encoded(text: &str) -> String {
    if text.starts_with("${") {
        return text.to_owned();
    }
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
