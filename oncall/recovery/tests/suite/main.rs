//! The catalogue of backups, and what is decided from it; failover.

mod failover;
mod history;
mod lag;
mod loss;
mod manifest;
mod plan;
mod retention;
mod seal;
mod wal;
