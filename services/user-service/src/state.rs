//! The state of the handlers. Cheap to clone.

use crate::{
    adapters::{PgUserStore, RedisUserCache},
    domain::{ActiveUsers, Lookup},
};

/// The state of the handlers.
#[derive(Clone)]
pub struct AppState {
    /// Users in PostgreSQL: writes and lists.
    pub store: PgUserStore,
    /// Reads of one user, through the cache.
    pub lookup: Lookup<PgUserStore, RedisUserCache>,
    /// Recently read users.
    pub active_users: ActiveUsers,
}
