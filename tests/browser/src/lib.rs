//! The control room in a headless Chromium, with a shop around it that always answers.
//!
//! * [`Room`] -- a control room on ports of its own, and [`Shop`], which answers for everything that it watches.
//! * [`Browser`] -- Chromium through chromedriver, and what a person does in it.
//! * [`pages`] -- every page that the control room has.
//! * [`audit`] -- what holds on every page.
//!
//! A test finds what is on a page by its words and roles, as a person does, and not by its looks.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

pub mod audit;
mod browser;
pub mod pages;
mod promql;
mod room;
mod shop;

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use tokio::runtime::Runtime;

pub use browser::{Browser, Options, with_browser};
pub use room::{Room, routes};
pub use shop::{Mood, Shop};

/// Longest wait for something that normally takes a moment; a browser beside a whole test suite is slow.
pub const SOON: Duration = Duration::from_secs(60);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
});

/// Runs a test on the one runtime of this process, so that tests can share a control room.
pub fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// The checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
