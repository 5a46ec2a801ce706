//! Dashboards and Explore in the assembled program, read as a browser without scripts reads them. Prometheus and the trace
//! store are fakes that speak their protocols.

mod boards;
mod explore;
mod fakes;
mod grafana;
mod rig;
