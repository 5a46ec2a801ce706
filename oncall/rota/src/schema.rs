//! The JSON Schema of `oncall.yaml`, from the types that read it. `oncall.schema.json` is its committed copy, for editors.

use serde_json::{Value, json};
use yaml::shape::Shape as _;

use crate::read::raw::Document;

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Document::shape();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("On call"));
    }
    schema
}
