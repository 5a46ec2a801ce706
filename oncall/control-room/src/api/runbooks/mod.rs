//! Runbooks: reading and starting them, what people do with runs, and automation.

pub(crate) mod automation;
pub(crate) mod guardrails;
pub(crate) mod list;
pub(crate) mod runs;
