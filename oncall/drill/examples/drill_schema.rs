//! Prints the JSON Schema of a drill; `just generate pages` writes it to `drills/schema.json`.

fn main() {
    println!("{:#}", drill::schema());
}
