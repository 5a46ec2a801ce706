//! What the public port does with a request.

pub mod forward;
mod headers;
