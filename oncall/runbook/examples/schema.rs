//! Prints the JSON Schema of a runbook: `cargo run -p runbook --example schema > runbooks/schema.json`.

fn main() {
    println!("{:#}", runbook::schema());
}
