//! The state of the handlers. Cheap to clone.

use crate::{
    adapters::{PgUserStore, RedisUserCache, Switches},
    domain::{ActiveUsers, Lookup},
};

/// The state of the handlers.
#[derive(Clone)]
pub struct AppState {
    /// Users in PostgreSQL: writes and lists.
    pub store: PgUserStore,
    /// Reads of one user, through the cache.
    pub lookup: Lookup<PgUserStore, RedisUserCache>,
    /// Which protections of these reads are in force.
    pub switches: Switches,
    /// Users that were read since the last count.
    pub active_users: ActiveUsers,
}
