//! The programs that every `lab up` starts, in one file: what they share, such as the async runtime and the HTTP server,
//! is in memory once, and not once for each of them (`docs/adr/0074-programs-in-one-file.md`). Knows nothing about them.

use std::process::ExitCode;

use chassis_core::config::EXIT_USAGE;

/// That of the services, which allocate a lot and on several threads; it serves the others as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a program does, from its start to its end.
type Life = fn() -> ExitCode;

/// The programs, by their names.
const PROGRAMS: &[(&str, Life)] = &[
    ("control-room", control_room::live),
    ("edge", edge::live),
    ("lab-kafka", lab_kafka::live),
    ("lab-traces", lab_traces::live),
    ("load", load::live),
    ("order-api", order_api::live),
    ("order-worker", order_worker::live),
    ("user-service", user_service::live),
];

fn main() -> ExitCode {
    let path = std::env::args_os().next().unwrap_or_default();
    match lab_programs::called(PROGRAMS, &path) {
        Some(life) => life(),
        None => {
            let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
            eprintln!(
                "lab-programs: call it by the name of one of its programs, which tools/build.sh gives it: {}",
                names.join(", ")
            );
            ExitCode::from(EXIT_USAGE)
        }
    }
}
