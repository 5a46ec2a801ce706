//! Prints the JSON Schema of a drill: `cargo run -p drill --example drill_schema > drills/schema.json`.

fn main() {
    println!("{:#}", drill::schema());
}
