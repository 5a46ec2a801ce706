//! The fault engine: points declared once, plans set at run time, decisions per request, all blind by default.
//!
//! A service lists its points in `faults.rs` (rows of [`catalogue`]); the chassis implements each at a process boundary.
//! A point that is off costs one atomic load. A plan that was set always expires; only a baseline stays.

pub mod catalogue;
mod decide;
pub mod doc;
mod engine;
mod error;
mod failures;
pub mod layer;
mod parse;
mod plan;
mod point;
mod report;
mod runtime;
mod spec;
mod start;
mod state;
mod strike;
#[cfg(test)]
pub(crate) mod tests;
mod value;

pub use engine::Faults;
pub use error::FaultError;
pub use parse::COMMON_PARAMS;
pub use point::FaultPoint;
pub use report::{ParamReport, PlanReport, PointReport};
pub use spec::{FaultSpec, ParamKind, ParamSpec, Reach};
pub(crate) use start::configure;
pub use start::start;
pub use strike::Strike;
