//! Prints the JSON Schema of the guardrails:
//! `cargo run -p runbook --example guardrails_schema > guardrails.schema.json`.

fn main() {
    println!("{:#}", runbook::guardrails_schema());
}
