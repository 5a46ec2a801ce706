//! One handler per file; its name is the operationId.

pub mod get_order;
pub mod list_orders;
pub mod place_order;
pub mod risky;
