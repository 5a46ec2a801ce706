//! The pages of actions, alerts, on-call, runbooks, faults and protections, in the assembled program: read and used as a browser without scripts
//! does. The services and Prometheus are fakes that speak their protocols.

mod actions;
mod alerts;
mod fakes;
mod faults;
mod oncall;
mod rig;
mod stop;
