//! What a drill's file looks like, as JSON Schema: the names that its reader uses.

pub(crate) use yaml::shape;
pub(crate) use yaml::shape::{Scalar, Shape, Time, Word};
