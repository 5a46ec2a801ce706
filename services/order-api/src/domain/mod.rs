//! What an order is: pure functions and types, no framework word.

mod order;
mod place_order;

pub use order::{Cursor, Earlier, IdempotencyKey, ListFilter, NewOrder};
pub use place_order::{MAX_ITEMS, place_order, total_cents};
