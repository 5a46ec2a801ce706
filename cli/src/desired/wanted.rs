//! What the newest commit wants, of what is set here.

use release::desired::{Drift, Settings};

/// What is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) commit: String,
    pub(super) settings: Settings,
    /// The services that it names: releases split their requests.
    pub(super) services: Vec<String>,
    pub(super) drift: Drift,
}
