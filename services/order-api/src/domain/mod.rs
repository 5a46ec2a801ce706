//! The rules of orders: pure functions and types that know no framework.

mod freshness;
mod order;
mod outcome;
mod place_order;

pub use freshness::{FRESH_WITHIN, Freshness};
pub use order::{Earlier, IdempotencyKey, ListFilter, NewOrder};
pub use outcome::{CLOCK_SKEW, is_after, is_past};
pub use place_order::{MAX_ITEMS, place_order, total_cents};
