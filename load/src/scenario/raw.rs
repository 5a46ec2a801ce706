//! A scenario as it is written, each value with its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) description: Text,
    pub(super) targets: BTreeMap<String, Text>,
    pub(super) arrivals: Option<Text>,
    pub(super) seed: Option<Spanned<u64>>,
    pub(super) max_in_flight: Option<Spanned<u64>>,
    pub(super) timeout: Option<Text>,
    pub(super) warmup: Option<Text>,
    #[serde(default)]
    pub(super) data: BTreeMap<String, Spanned<RawData>>,
    pub(super) stages: Spanned<Vec<Spanned<RawStage>>>,
    pub(super) journeys: Spanned<Vec<Spanned<RawJourney>>>,
    #[serde(default)]
    pub(super) thresholds: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    pub(super) kind: Text,
    pub(super) zipf: Option<Spanned<f64>>,
    pub(super) min: Option<Spanned<i64>>,
    pub(super) max: Option<Spanned<i64>>,
    pub(super) of: Option<Spanned<Vec<Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStage {
    pub(super) kind: Text,
    #[serde(rename = "for")]
    pub(super) length: Text,
    pub(super) name: Option<Text>,
    pub(super) rate: Option<Spanned<f64>>,
    pub(super) from: Option<Spanned<f64>>,
    pub(super) to: Option<Spanned<f64>>,
    pub(super) steps: Option<Spanned<u64>>,
    pub(super) swing: Option<Spanned<f64>>,
    pub(super) period: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJourney {
    pub(super) name: Text,
    pub(super) weight: Option<Spanned<u64>>,
    pub(super) steps: Spanned<Vec<Spanned<RawStep>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) name: Text,
    pub(super) target: Option<Text>,
    pub(super) method: Option<Text>,
    pub(super) path: Text,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Text>,
    pub(super) body: Option<Spanned<Value>>,
    pub(super) think: Option<Text>,
    pub(super) check: Option<Spanned<RawCheck>>,
    #[serde(default)]
    pub(super) save: BTreeMap<String, Text>,
    pub(super) until: Option<Spanned<RawUntil>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    #[serde(default)]
    pub(super) status: Vec<Spanned<u16>>,
    #[serde(default)]
    pub(super) json: BTreeMap<String, Spanned<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUntil {
    pub(super) pointer: Text,
    pub(super) values: Spanned<Vec<Value>>,
    pub(super) every: Option<Text>,
    pub(super) within: Text,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;

    use super::*;

    /// The fields that a type accepts, from serde's own refusal of another one.
    fn accepted<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
        let error = serde_json::from_str::<T>(r#"{"no-such-field": 1}"#).unwrap_err().to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    fn described(schema: &Value, pointer: &str) -> BTreeSet<String> {
        let properties = schema.pointer(pointer).and_then(|at| at.get("properties"));
        properties.and_then(Value::as_object).unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_describes_exactly_the_fields_that_are_read() {
        let schema: Value = serde_json::from_str(super::super::SCHEMA).unwrap();
        assert_eq!(accepted::<Document>(), described(&schema, ""));
        assert_eq!(accepted::<RawData>(), described(&schema, "/$defs/data"));
        assert_eq!(accepted::<RawStage>(), described(&schema, "/$defs/stage"));
        assert_eq!(accepted::<RawJourney>(), described(&schema, "/$defs/journey"));
        assert_eq!(accepted::<RawStep>(), described(&schema, "/$defs/step"));
        assert_eq!(accepted::<RawCheck>(), described(&schema, "/$defs/check"));
        assert_eq!(accepted::<RawUntil>(), described(&schema, "/$defs/until"));
    }
}
