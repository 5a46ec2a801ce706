//! One handler per file: read the input, call the domain, shape the answer. No rules here.

pub mod greet;
