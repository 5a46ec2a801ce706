//! Prints the JSON Schema of the guardrails; `just generate pages` writes it to `guardrails.schema.json`.

fn main() {
    println!("{:#}", runbook::guardrails_schema());
}
