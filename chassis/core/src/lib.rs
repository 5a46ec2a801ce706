//! What every program of the lab stands on, a stand-in as much as a service: configuration from flags and environment, one
//! exit code for bad configuration, who the process is, and whether it is ready; and the words for what a request is about
//! and what is wrong with it: attributes, types of problems, fields.
//!
//! Depends on no telemetry, faults or protocol.

pub mod config;
mod exit;
mod fields;
mod health;
mod info;
pub mod problem;
mod subject;

pub use config::EXIT_USAGE;
pub use exit::exit_code;
pub use fields::Fields;
pub use health::Readiness;
pub use info::ServiceInfo;
pub use problem::ProblemType;
pub use subject::Attribute;
