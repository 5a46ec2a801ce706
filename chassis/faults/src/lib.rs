//! The fault engine: points declared once, plans set at run time, decisions per request, hidden by default. Also the
//! switches of the protections, and the scope that a plan is matched against.
//!
//! A boundary declares its points in a `catalogue` and implements them; a service lists those it has. The engine knows
//! none of them. A point that is off costs one atomic load. Every plan expires, except a baseline.

mod config;
mod decide;
mod engine;
mod error;
mod parse;
mod plan;
mod point;
pub mod protection;
mod report;
pub mod scope;
pub mod spec;
mod state;
mod strike;
mod subject;
mod taking;
#[cfg(test)]
mod tests;
mod value;

pub use config::FaultsConfig;
pub use engine::Faults;
pub use error::FaultError;
pub use parse::COMMON_PARAMS;
pub use point::FaultPoint;
pub use report::{ParamReport, PlanReport, PointReport, parameters};
pub use spec::{FaultSpec, ParamKind, ParamSpec, Reach};
pub use strike::Strike;
pub use subject::Attribute;
pub use taking::part;
