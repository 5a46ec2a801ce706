//! What comes from Kafka, one handler per file.

pub mod outcomes;
