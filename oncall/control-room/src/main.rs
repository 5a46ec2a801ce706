//! control-room. Its life is in the library, `life.rs`.

use std::process::ExitCode;

// Gives memory back after a storm of alerts; the system's allocator keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    control_room::live()
}
