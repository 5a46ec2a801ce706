//! The assembled lab, through its command, on the real servers. Needs every program of the workspace beside `lab`:
//! `cargo build --workspace --all-targets`.

mod access;
mod actions;
mod apache_kafka;
mod backup;
mod chaos;
mod classic;
mod cloud;
mod dashboards;
mod drills;
mod exporters;
mod failover;
mod faults;
mod gitops;
mod grafana;
mod incidents;
mod lab;
mod logs;
mod oncall;
mod opensearch;
mod pages;
mod pipeline;
mod releases;
mod replicas;
mod runbooks;
mod secrets;
mod slo;
mod strangers;
mod terminal;
mod torture;
mod trouble;
mod versions;
mod waf;
mod whole;
mod wrapper;
