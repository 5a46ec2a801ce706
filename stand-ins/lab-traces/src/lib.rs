//! A trace store for one machine: receives OTLP, keeps what fits into a bound of memory, answers as Jaeger does.
//!
//! * [`receive`] -- OTLP over HTTP and gRPC. Bad input is refused, never fatal.
//! * [`store`] -- the traces. Never holds more than its limit; gives up ordinary traces before failed and slow ones.
//! * [`jaeger`] -- Jaeger's query API, as its UI and Grafana ask it.
//! * [`ui`] -- the Jaeger UI itself.
//! * [`admin`], [`metrics`], [`config`], [`serve`] -- the process.

pub mod admin;
pub mod config;
pub mod jaeger;
pub mod metrics;
pub mod receive;
pub mod serve;
pub mod store;
pub mod ui;
