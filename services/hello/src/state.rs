//! The state of the handlers. Cheap to clone.

use crate::metrics::HelloMetrics;

/// The state of the handlers.
#[derive(Clone)]
pub struct AppState {
    /// What the service counts.
    pub metrics: HelloMetrics,
}
