//! Prints the JSON Schema of the desired state: `cargo run -p release --example desired_schema > deploy/gitops/schema.json`.

fn main() {
    println!("{:#}", release::desired::schema());
}
