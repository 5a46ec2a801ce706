//! The library through its public API: the life of incidents, what other systems send, and what people read.

mod correlation;
mod hooks;
mod lessons;
mod life;
mod sealed;
mod support;
