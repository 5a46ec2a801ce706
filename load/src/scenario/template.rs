//! Text with variables, `/orders/${order}`, and JSON whose strings are such texts.

use serde_json::Value;

use super::Values;

/// Text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Reads `text`.
    ///
    /// # Errors
    /// When a `${` has no `}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("`{text}` has a ${{ without its }}"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with the variables' values; an unknown one is left out.
    #[must_use]
    pub fn fill(&self, values: &Values) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) => match values.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            },
        };
        self.0.iter().map(part).collect()
    }
}

/// The templates of all strings in `json`.
///
/// # Errors
/// As [`Template::parse`].
pub(super) fn strings(json: &Value) -> Result<Vec<Template>, String> {
    match json {
        Value::String(text) => Ok(vec![Template::parse(text)?]),
        Value::Array(list) => {
            Ok(list.iter().map(strings).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        Value::Object(map) => {
            Ok(map.values().map(strings).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// `json` with values for variables. A string that is one variable becomes its value, so that numbers stay numbers.
pub(crate) fn fill(json: &Value, values: &Values) -> Value {
    match json {
        Value::String(text) => match Template::parse(text) {
            Ok(Template(parts)) => match parts.as_slice() {
                [Part::Variable(name)] => values.get(name).cloned().unwrap_or_default(),
                _ => Value::String(Template(parts).fill(values)),
            },
            Err(_) => json.clone(),
        },
        Value::Array(list) => list.iter().map(|item| fill(item, values)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, item)| (key.clone(), fill(item, values))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_filled_in_text_and_keep_their_type_in_json() {
        let values: Values = [("n".to_owned(), json!(3)), ("id".to_owned(), json!("a-1"))].into();
        let template = Template::parse("/orders/${id}?limit=${n}").unwrap();
        assert_eq!(template.fill(&values), "/orders/a-1?limit=3");
        assert_eq!(template.variables().collect::<Vec<_>>(), ["id", "n"]);
        let body =
            json!({"user": "${id}", "items": [{"quantity": "${n}", "sku": "SKU-${n}", "gift": false}]});
        let filled = json!({"user": "a-1", "items": [{"quantity": 3, "sku": "SKU-3", "gift": false}]});
        assert_eq!(fill(&body, &values), filled);
        assert_eq!(strings(&body).unwrap().len(), 3);
        assert!(Template::parse("/orders/${id").is_err());
    }
}
