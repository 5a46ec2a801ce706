//! What a file looks like, as JSON Schema. A type that reads a part of a file is declared with [`shape!`](crate::shape!):
//! reader and schema come from the same declaration, so they cannot differ.

use std::{collections::BTreeMap, fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, json};
use serde_saphyr::Spanned;
use strum::VariantNames;

/// A type that a file may contain.
pub trait Shape {
    /// Whether a field of this type may be left out.
    const OPTIONAL: bool = false;

    /// Its schema.
    fn shape() -> Value;
}

/// Declares a part of a file: a struct whose documentation is the description in the schema. Unknown fields are refused.
/// `field: Vec<Text> = default,` may be left out, as an `Option` may. The crate that declares one needs `serde` and
/// `serde_json`.
#[macro_export]
macro_rules! shape {
    ($(#[doc = $about:literal])* $name:ident {
        $( $(#[doc = $doc:literal])* $field:ident: $type:ty $(= $default:ident)?, )*
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $( $(#[doc = $doc])* $(#[serde($default)])? pub(crate) $field: $type, )* }

        impl $crate::shape::Shape for $name {
            fn shape() -> serde_json::Value {
                let fields = [ $( (
                    stringify!($field),
                    concat!($($doc),*),
                    <$type as $crate::shape::Shape>::shape(),
                    <$type as $crate::shape::Shape>::OPTIONAL $(|| stringify!($default) == "default")?,
                ), )* ];
                $crate::shape::object(concat!($($about),*), fields)
            }
        }
    };
}
/// An object without other fields than these: name, description, schema, whether it may be left out.
#[must_use]
pub fn object<const N: usize>(about: &str, fields: [(&str, &str, Value, bool); N]) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, description, mut schema, optional) in fields {
        // A field that is called like a keyword of Rust.
        let name = name.trim_start_matches("r#");
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(description.trim()));
        }
        if !optional {
            required.push(name);
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": about.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

impl Shape for String {
    fn shape() -> Value {
        json!({"type": "string"})
    }
}

impl Shape for bool {
    fn shape() -> Value {
        json!({"type": "boolean"})
    }
}

impl Shape for u32 {
    fn shape() -> Value {
        json!({"type": "integer", "minimum": 0})
    }
}

impl Shape for u64 {
    fn shape() -> Value {
        json!({"type": "integer", "minimum": 0})
    }
}

impl<T: Shape> Shape for Spanned<T> {
    fn shape() -> Value {
        T::shape()
    }
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn shape() -> Value {
        T::shape()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn shape() -> Value {
        json!({"type": "array", "items": T::shape()})
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn shape() -> Value {
        json!({"type": "object", "additionalProperties": T::shape()})
    }
}

/// A duration as it is written: `90s`, `5m`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Time(
    /// As it is in the file.
    pub String,
);

impl Shape for Time {
    fn shape() -> Value {
        json!({"type": "string", "pattern": "^([0-9]+(ms|s|m|h) ?)+$"})
    }
}

/// One word of a closed set.
#[derive(Debug)]
pub struct Word<E> {
    text: String,
    set: PhantomData<E>,
}

impl<E: FromStr + VariantNames> Word<E> {
    /// The word.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn read(&self) -> Result<E, String> {
        let known = || E::VARIANTS.join(", ");
        self.text.parse().map_err(|_| format!("expected one of {}, found `{}`", known(), self.text))
    }
}

impl<E> Word<E> {
    /// As it is in the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<'de, E> Deserialize<'de> for Word<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: String::deserialize(deserializer)?, set: PhantomData })
    }
}

impl<E: VariantNames> Shape for Word<E> {
    fn shape() -> Value {
        json!({"enum": E::VARIANTS})
    }
}

/// A text that needs no quotes where it looks like a number or a truth value: `200`, `-1`, `true`. It is kept as written.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Plain(
    /// As it is in the file.
    pub String,
);

impl AsRef<str> for Plain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Shape for Plain {
    fn shape() -> Value {
        json!({"type": ["string", "number", "boolean"]})
    }
}

/// A text, a number or a truth value, as the text that a URL would have.
#[derive(Debug)]
pub struct Scalar(
    /// As a URL would have it.
    pub String,
);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl Shape for Scalar {
    fn shape() -> Value {
        json!({"type": ["string", "number"]})
    }
}

struct ScalarVisitor;

impl de::Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number; `on` and `off` need quotes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    shape! {
        /// A thing
        /// with two lines.
        Thing {
            /// How many.
            count: Spanned<u32>,
            /// Anything.
            with: Option<BTreeMap<String, Spanned<Scalar>>>,
            /// What kind.
            r#type: Option<Plain>,
            /// Others.
            others: Vec<String> = default,
        }
    }

    #[test]
    fn the_schema_says_what_the_reader_takes() {
        let expected = json!({
            "type": "object",
            "description": "A thing with two lines.",
            "properties": {
                "count": {"type": "integer", "minimum": 0, "description": "How many."},
                "with": {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number"]},
                    "description": "Anything.",
                },
                "type": {"type": ["string", "number", "boolean"], "description": "What kind."},
                "others": {"type": "array", "items": {"type": "string"}, "description": "Others."},
            },
            "required": ["count"],
            "additionalProperties": false,
        });
        assert_eq!(Thing::shape(), expected);
    }

    #[test]
    fn a_parameter_is_a_text_or_a_number() {
        let thing = crate::parse::<Thing>(
            "t.yaml",
            "count: 1\nwith: {rate: 0.25, delay: 5ms, keep: 3, word: \"off\"}\n",
        );
        let thing = thing.unwrap();
        assert_eq!(thing.count.value, 1);
        let with: Vec<String> = thing.with.unwrap().into_values().map(|value| value.value.0).collect();
        assert_eq!(with, ["5ms", "3", "0.25", "off"]);
        assert!(thing.r#type.is_none() && thing.others.is_empty());
    }

    #[test]
    fn a_plain_value_is_kept_as_it_is_written() {
        let thing = crate::parse::<Thing>("t.yaml", "count: 1\ntype: -1\nothers: [one]\n").unwrap();
        assert_eq!((thing.r#type.unwrap().0.as_str(), thing.others.len()), ("-1", 1));
    }
}
