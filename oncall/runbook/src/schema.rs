//! The JSON Schemas of `runbooks/<Alert>.yaml` and of `guardrails.yaml`, from the types that read them.
//! `runbooks/schema.json` and `guardrails.schema.json` are their committed copies, for editors.

use serde_json::{Value, json};
use yaml::shape::Shape as _;

use crate::read::raw::{Document, Guardrails};

/// The schema of a runbook.
#[must_use]
pub fn schema() -> Value {
    titled(Document::shape(), "Runbook")
}

/// The schema of the guardrails.
#[must_use]
pub fn guardrails_schema() -> Value {
    titled(Guardrails::shape(), "Guardrails")
}

fn titled(mut schema: Value, title: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!(title));
    }
    schema
}
