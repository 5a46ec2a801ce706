//! The parts of a lab and their configuration: what the supervisor runs in local mode.

mod address;
pub(crate) mod alerting;
pub(crate) mod apache_kafka;
pub(crate) mod backup;
pub(crate) mod chaos;
mod choices;
pub(crate) mod cloud;
pub(crate) mod control_room;
pub(crate) mod edge;
pub(crate) mod environment;
pub(crate) mod exporters;
pub(crate) mod forget;
pub(crate) mod grafana;
pub(crate) mod monitoring;
pub(crate) mod objects;
pub(crate) mod opensearch;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod probe;
pub(crate) mod programs;
pub(crate) mod replicas;
pub(crate) mod stores;
pub(crate) mod table;
