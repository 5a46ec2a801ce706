//! Orders in PostgreSQL. An order and its outbox entry are written by one statement, so they exist together or not at all,
//! in one round trip; the same holds for an outcome and the removal of the entry. Under load, orders that arrive together
//! share that statement, and so do outcomes ([`chassis_postgres::Group`]).
//!
//! What those statements do to the outbox is the outbox's own SQL ([`chassis_outbox::stage!`], [`chassis_outbox::retire!`]).

mod place;
mod read;
mod row;
mod settle;

pub use place::Placed;
pub use settle::Settled;

use chassis_faults::FaultPoint;
use chassis_outbox::Outbox;
use chassis_postgres::{Database, Group};
use chassis_telemetry::Chassis;
use contracts::orders::Track;

use self::{place::Place, settle::Settle};
use crate::faults::{WRONG_TOTAL, WrongTotal};

/// `orders` and its outbox. Cheap to clone.
#[derive(Clone)]
pub struct OrderStore {
    database: Database,
    placing: Group<Place>,
    settling: Group<Settle>,
    outbox: Outbox,
    track: Option<Track>,
    wrong_total: FaultPoint<WrongTotal>,
}

impl OrderStore {
    /// A store in this database, whose relay is `outbox`; of an instance that is this one of the two that a release compares.
    #[must_use]
    pub fn new(database: Database, outbox: Outbox, track: Option<Track>, chassis: &Chassis) -> Self {
        Self {
            placing: Group::new(database.clone(), Place),
            settling: Group::new(database.clone(), Settle),
            database,
            outbox,
            track,
            wrong_total: chassis.faults.point(&WRONG_TOTAL),
        }
    }
}
