//! The assembled lab, through its command, on the real servers. Needs every program of the workspace beside `lab`:
//! `cargo build --workspace --all-targets`.

mod apache_kafka;
mod dashboards;
mod faults;
mod lab;
mod logs;
mod opensearch;
mod pages;
mod pipeline;
mod slo;
mod strangers;
mod terminal;
mod torture;
mod trouble;
mod whole;
mod wrapper;
