//! What many programs read from text and write into it, each in one place.
//!
//! * `values` -- sizes and shares as people write them.
//! * `markup` -- the text of others inside XML, HTML and SVG.
//!
//! No dependencies, no I/O: a pure core may use it.

pub mod markup;
mod values;

pub use values::{byte_size, mib, ratio, share};
