//! load. Its life is in the library, `life.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    load::live()
}
