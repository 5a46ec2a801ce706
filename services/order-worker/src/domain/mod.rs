//! How an order is judged and paid: pure functions that know no framework.

mod payment;
mod total;

pub use payment::{Decline, LIMIT_CENTS, Payment, PaymentStatus, decide};
pub use total::{TotalCheck, check_total};
