//! The assembled lab, through its command, on the real servers. Needs every program of the workspace beside `lab`:
//! `cargo build --workspace --all-targets`.

mod access;
mod apache_kafka;
mod classic;
mod dashboards;
mod exporters;
mod faults;
mod grafana;
mod lab;
mod logs;
mod oncall;
mod opensearch;
mod pages;
mod pipeline;
mod replicas;
mod slo;
mod strangers;
mod terminal;
mod torture;
mod trouble;
mod whole;
mod wrapper;
