//! Backups as facts: what is in the repository, which of it restores the state of a moment, what may be deleted, and
//! what a disaster cost.
//!
//! Read it in this order: [`wal`] (places in the write-ahead log, and the files it is kept in), [`manifest`] (what one
//! backup consists of), [`catalogue`] (all of a repository), [`mod@plan`] (base and WAL for a moment, or why there are
//! none), [`retention`] (what to delete; never the last backup that was restored and checked), [`loss`] (RPO and RTO),
//! [`seal`] (how a file is encrypted), [`failover`] (from a server to its replica, never two primaries) and [`lag`] (how old a
//! replica is).
//!
//! Opens no file and reads no clock: callers list, read and write, and pass the time.

pub mod catalogue;
pub mod failover;
pub mod lag;
pub mod loss;
pub mod manifest;
pub mod plan;
pub mod retention;
pub mod seal;
pub mod wal;

pub use catalogue::{Backup, Catalogue, Verdict, WalFile};
pub use loss::{Accepted, Loss};
pub use manifest::{File, Manifest};
pub use plan::{Plan, Refusal, Target, Uncovered, plan, uncovered};
pub use retention::{Keep, Surplus, surplus};
pub use seal::Key;
pub use wal::{Lsn, Segment};
