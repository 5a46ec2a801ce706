//! The process boundary: PostgreSQL. sqlx lives only here.

mod payment_store;

pub use payment_store::{Paid, PaymentStore};
