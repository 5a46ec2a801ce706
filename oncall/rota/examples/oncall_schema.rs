//! Prints the JSON Schema of `oncall.yaml`: `cargo run -p rota --example oncall_schema > oncall.schema.json`.

fn main() {
    println!("{:#}", rota::schema());
}
