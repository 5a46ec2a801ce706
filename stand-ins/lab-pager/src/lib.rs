//! The lab's pager: receives Alertmanager's notifications, keeps the latest in memory, returns them as JSON.
//!
//! * [`receive`] -- the two webhooks, Alertmanager's own and Slack's. Invalid payloads are refused with the field's name.
//! * [`store`] -- the pages: bounded; repeats of the same alert are counted and not stored again.
//! * [`routes`], [`metrics`], [`config`], [`serve`] -- the process.

pub mod config;
pub mod metrics;
pub mod page;
pub mod receive;
pub mod routes;
pub mod serve;
pub mod store;
