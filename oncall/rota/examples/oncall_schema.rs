//! Prints the JSON Schema of `oncall.yaml`; `just generate pages` writes it to `oncall.schema.json`.

fn main() {
    println!("{:#}", rota::schema());
}
