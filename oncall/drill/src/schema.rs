//! The JSON Schema of `drills/<name>.yaml`, from the types that read it. `drills/schema.json` is its committed copy, for
//! editors.

use serde_json::{Value, json};

use crate::{read::raw::Document, shape::Shape as _};

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Document::shape();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("Drill"));
    }
    schema
}
