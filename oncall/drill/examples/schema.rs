//! Prints the JSON Schema of a drill: `cargo run -p drill --example schema > drills/schema.json`.

fn main() {
    println!("{:#}", drill::schema());
}
