//! Manifests against the schemas of their kinds: the keywords that the committed schemas use.

use regex::Regex;
use serde_json::Value;

/// What is wrong with a value, a sentence each; `at` is its name. Stricter than an API server, which drops the fields that it
/// does not know.
pub(crate) fn wrong(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    look(schema, value, at, &mut found);
    found
}

fn look(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        found.push(format!("{at}: expected {}, found {value}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: expected one of {}, found {value}", schema["enum"]));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        found.push(format!("{at}: expected {pattern}, found {value}"));
    }
    let number = value.as_f64();
    let bound = |name: &str| schema[name].as_f64();
    if bound("minimum").zip(number).is_some_and(|(least, number)| number < least)
        || bound("maximum").zip(number).is_some_and(|(most, number)| number > most)
    {
        found.push(format!("{at}: {value} is out of bounds"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        look(&schema["items"], item, &format!("{at}[{index}]"), found);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match known {
            Some(known) => look(known, inner, &format!("{at}.{name}"), found),
            // `metadata`, of which the schemas say nothing.
            None if schema["properties"].is_null() => {}
            None => found.push(format!("{at}.{name} is unknown")),
        }
    }
}
