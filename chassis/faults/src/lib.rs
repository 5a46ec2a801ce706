//! The fault engine: points declared once, plans set at run time, decisions per request, hidden by default. Also the
//! switches of the protections, and the scope that a plan is matched against.
//!
//! A boundary declares its faults in a [`catalogue!`] and implements them; a service lists those that it has. The engine knows
//! none of them. A point that is off costs one atomic load. A plan that was set always expires; only a baseline stays.

mod common;
mod config;
mod decide;
mod declare;
mod engine;
mod error;
mod kind;
pub mod params;
mod parse;
mod plan;
mod point;
pub mod protection;
mod report;
pub mod scope;
pub mod spec;
mod state;
mod strike;
mod taking;
#[cfg(test)]
mod tests;
mod value;

pub use chassis_core::Attribute;
pub use common::COMMON_PARAMS;
pub use config::FaultsConfig;
pub use engine::Faults;
pub use error::FaultError;
pub use kind::{ParamKind, ParamSpec};
pub use params::Params;
pub use point::FaultPoint;
pub use report::{ParamReport, PlanReport, PointReport, parameters};
pub use spec::{AnyFault, Catalogue, Fault, FaultSpec, Reach};
pub use strike::Strike;
pub use taking::part;
