//! hello. Its life is in the library, `life.rs`.

use std::process::ExitCode;

/// Requests allocate a lot and on several threads, which would cost a tenth of the CPU with glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hello::live()
}
