//! What handlers may use: passed in, never global. Cheap to clone.

use crate::{
    adapters::{Backend, OrderStore, UserClient},
    metrics::OrderApiMetrics,
};

/// The state of the handlers.
#[derive(Clone)]
pub struct AppState {
    /// The stored orders.
    pub orders: OrderStore,
    /// Checks users.
    pub users: UserClient,
    /// The flaky dependency behind `/risky`.
    pub backend: Backend,
    /// The metrics of this service.
    pub metrics: OrderApiMetrics,
}
