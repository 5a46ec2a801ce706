//! lab-traces. Its life is in the library, `life.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lab_traces::live()
}
