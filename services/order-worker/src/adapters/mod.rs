//! The process boundary: PostgreSQL. Only here is sqlx used.

mod payment_store;

pub use payment_store::{Paid, PaymentStore};
