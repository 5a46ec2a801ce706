//! The pager of the lab: receives what Alertmanager sends, keeps the latest in memory, hands them out as JSON.
//!
//! * [`receive`] -- the two webhooks, Alertmanager's own and Slack's. What cannot be read is refused with the field's name.
//! * [`store`] -- the pages: bounded, repeats of the same alert counted and not stored again.
//! * [`routes`], [`metrics`], [`config`], [`serve`] -- the process.

pub mod config;
pub mod metrics;
pub mod page;
pub mod receive;
pub mod routes;
pub mod serve;
pub mod store;
