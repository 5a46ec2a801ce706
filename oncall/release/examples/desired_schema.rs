//! Prints the JSON Schema of the desired state; `just generate pages` writes it to `deploy/gitops/schema.json`.

fn main() {
    println!("{:#}", release::desired::schema());
}
