//! The process boundaries: PostgreSQL, user-service, and the backend of `/risky`. Only here are sqlx and clients used.

mod backend;
mod order_store;
mod user_client;

pub use backend::{Backend, BackendError};
pub use order_store::{OrderStore, Placed, Settled};
pub use user_client::UserClient;
