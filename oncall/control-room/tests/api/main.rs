//! The API of the assembled control room, over HTTP. Prometheus and the others do not answer, unless a test has its own.

mod access;
mod actions;
mod alertmanager;
mod backup;
mod contract;
mod declare;
mod events;
mod hooks;
mod incidents;
mod names;
mod oncall;
mod proxy;
mod releases;
mod rig;
mod shop;
mod slos;
mod told;
