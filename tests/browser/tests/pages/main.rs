//! The control room's pages in headless Chromium: what a person does there, and what holds on every page.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod boards;
mod drills;
mod every_page;
mod journey;
mod keyboard;
mod links;
mod still;
