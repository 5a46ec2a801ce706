//! A trace store for one machine: receives OTLP, keeps traces within a memory limit, responds like Jaeger.
//!
//! * [`receive`] -- OTLP over HTTP and gRPC. Bad input is refused, never fatal.
//! * [`store`] -- the traces. Never exceeds its limit; drops ordinary traces before failed and slow ones.
//! * [`jaeger`] -- Jaeger's query API, as its UI and Grafana use it.
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
