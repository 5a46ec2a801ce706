//! What handlers may use: passed in, never global. Cheap to clone.

use crate::{
    adapters::{Backend, OrderStore, UserClient},
    metrics::OrderApiMetrics,
};

/// The surroundings of a handler.
#[derive(Clone)]
pub struct AppState {
    /// Where orders are kept.
    pub orders: OrderStore,
    /// Who may order.
    pub users: UserClient,
    /// The flaky dependency behind `/risky`.
    pub backend: Backend,
    /// What this service counts.
    pub metrics: OrderApiMetrics,
}
