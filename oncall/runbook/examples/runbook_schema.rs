//! Prints the JSON Schema of a runbook: `cargo run -p runbook --example runbook_schema > runbooks/schema.json`.

fn main() {
    println!("{:#}", runbook::schema());
}
