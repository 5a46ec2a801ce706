//! Panics as log lines: where, what, and in which trace. The standard hook writes to stderr, which is not collected.
//!
//! The hook belongs to the process, as the log subscriber does; it is installed with the subscriber.

use std::{
    any::Any,
    panic::PanicHookInfo,
    sync::atomic::{AtomicBool, Ordering},
};

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Makes every panic of the process one error line.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(log));
    INSTALLED.store(true, Ordering::Release);
}

/// Whether a panic has already been logged by the time it is caught.
#[must_use]
pub fn logged() -> bool {
    INSTALLED.load(Ordering::Acquire)
}

fn log(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    tracing::error!(location, cause = text(panic.payload()), "panicked");
}

/// The message of a panic.
#[must_use]
pub fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}
