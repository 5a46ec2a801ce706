//! Orders in PostgreSQL. An order and its outbox entry are one statement, so they exist together or not at all, for one
//! round trip; the same holds for an outcome and the retirement of the entry.
//!
//! The statements name the columns of [`chassis::outbox::OUTBOX_DDL`]; a test compares that with the migrations.

mod place;
mod read;
mod row;
mod settle;

pub use place::Placed;
pub use settle::Settled;

use chassis::{Chassis, db::Database, fault::FaultPoint, outbox::Outbox};

/// `orders` and its outbox. Cheap to clone.
#[derive(Clone)]
pub struct OrderStore {
    database: Database,
    outbox: Outbox,
    wrong_total: FaultPoint,
}

impl OrderStore {
    /// A store on this database, whose relay is `outbox`.
    #[must_use]
    pub fn new(database: Database, outbox: Outbox, chassis: &Chassis) -> Self {
        Self { database, outbox, wrong_total: chassis.faults.point("wrong-total") }
    }
}
