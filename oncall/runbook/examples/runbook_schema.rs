//! Prints the JSON Schema of a runbook; `just generate pages` writes it to `runbooks/schema.json`.

fn main() {
    println!("{:#}", runbook::schema());
}
