//! Whether a value is of a schema, as an editor would judge it: what [`mod@crate::shape`] writes, and no more of JSON Schema.
//! Patterns are not looked at: the readers say more about a text than a pattern does.

use serde_json::Value;

/// What is wrong with a value, each with its path; nothing, if it is of the schema.
#[must_use]
pub fn wrong(schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    look(schema, value, "document", &mut wrong);
    wrong
}

fn look(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        wrong.push(format!("{path}: {value} is not one of {words:?}"));
    }
    let kinds = &schema["type"];
    let fits = match kinds {
        Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind)),
        Value::Null => true,
        kind => is(value, kind),
    };
    if !fits {
        wrong.push(format!("{path}: {value} is not a {kinds}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            wrong.push(format!("{path}: {name} is missing"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(schema), _) => look(schema, value, &path, wrong),
            (None, Value::Bool(false)) => wrong.push(format!("{path}: no such field")),
            (None, schema) => look(schema, value, &path, wrong),
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        look(&schema["items"], value, &format!("{path}[{index}]"), wrong);
    }
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use serde_saphyr::Spanned;

    use super::*;
    use crate::shape::{Plain, Shape as _};

    crate::shape! {
        /// A list.
        List {
            /// Its things.
            things: Vec<Spanned<Thing>>,
        }
    }

    crate::shape! {
        /// A thing.
        Thing {
            /// Its name.
            name: String,
            /// How many.
            count: Option<u32>,
            /// Anything.
            with: BTreeMap<String, Plain> = default,
        }
    }

    #[test]
    fn what_an_editor_would_underline_is_found() {
        let wrong = |things: Value| super::wrong(&List::shape(), &json!({ "things": things }));
        assert_eq!(
            wrong(json!([{"name": "a", "count": 2, "with": {"x": 1, "y": "z"}}])),
            Vec::<String>::new()
        );
        for (thing, said) in [
            (json!({"name": 1}), "document.things[0].name: 1 is not a \"string\""),
            (json!({"name": "a", "count": -1.5}), "document.things[0].count: -1.5 is not a \"integer\""),
            (json!({"count": 1}), "document.things[0]: name is missing"),
            (json!({"name": "a", "color": 1}), "document.things[0].color: no such field"),
            (json!({"name": "a", "with": {"x": []}}), "document.things[0].with.x: [] is not a "),
        ] {
            let found = wrong(json!([thing]));
            assert!(found.len() == 1 && found[0].starts_with(said), "{said}: {found:?}");
        }
        assert_eq!(super::wrong(&json!({"enum": ["a"]}), &json!("b")).len(), 1);
        let thing = crate::parse::<List>("l.yaml", "things: [{name: a, with: {x: 1}}]").unwrap();
        let first = &thing.things[0].value;
        assert_eq!((first.name.as_str(), first.count, first.with["x"].0.as_str()), ("a", None, "1"));
    }
}
