//! One test: a process has one panic hook.

use std::{
    panic::{catch_unwind, set_hook, take_hook},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

static SHOWN: AtomicUsize = AtomicUsize::new(0);
static LOGGED: AtomicUsize = AtomicUsize::new(0);

fn fails() {
    panic!("on purpose");
}

#[test]
fn a_panic_is_shown_after_telemetry_has_taken_the_hook_too() {
    set_hook(Box::new(|_| {
        SHOWN.fetch_add(1, SeqCst);
    }));
    let installed = testkit::panics_shown(|| {
        set_hook(Box::new(|_| {
            LOGGED.fetch_add(1, SeqCst);
        }));
        7
    });
    let panicked = catch_unwind(fails);
    // Back to the hook of the test harness, which shows what fails below.
    drop(take_hook());
    assert!(panicked.is_err());
    assert_eq!((installed, SHOWN.load(SeqCst), LOGGED.load(SeqCst)), (7, 1, 1));
}
