//! The panic hook of a test process. Telemetry replaces it, so that a program's panics are lines of its log; a test whose log
//! goes nowhere would then fail without a word, and so would every other test of its process.

use std::panic::{set_hook, take_hook};

/// Installs something that takes the panic hook, such as telemetry, and returns what that returns. From then on a panic is
/// told to the hook that was there before, which prints it where the test harness looks, and to the new one.
pub fn panics_shown<T>(install: impl FnOnce() -> T) -> T {
    let shown = take_hook();
    let installed = install();
    let logged = take_hook();
    set_hook(Box::new(move |panic| {
        shown(panic);
        logged(panic);
    }));
    installed
}
