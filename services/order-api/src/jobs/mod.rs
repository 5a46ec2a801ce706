//! What the service does without being asked, one loop per file.

pub mod freshness;
