//! The two process boundaries of the domain, and their errors.

use std::{error::Error, sync::Arc, time::Duration};

use chassis_core::Fields;
use chrono::{DateTime, Utc};
use contracts::users::User;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{UserChanges, ValidUser};

/// The cause of a failure, shared by the callers that waited for it together.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// What can go wrong; a caller handles each variant differently.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UserError {
    /// No such user.
    #[error("there is no such user")]
    NotFound,
    /// Another user has the address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The input is wrong: these fields.
    #[error("the input is not valid")]
    Invalid(Fields),
    /// The database does not answer; a retry may help.
    #[error("the database of users does not answer")]
    Unavailable(#[source] Source),
    /// Too many concurrent reads go past a failed cache; a retry may help.
    #[error("too many reads go past the cache")]
    Overloaded,
    /// A mistake in the code or the schema.
    #[error("the database of users refused the statement")]
    Unexpected(#[source] Source),
}

/// A shared [`Cause`] as a separate error.
#[derive(Debug, Clone)]
pub struct Source(pub Cause);

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Source {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Stores users.
pub trait UserStore: Clone + Send + Sync + 'static {
    /// One user.
    fn find(&self, id: Uuid) -> impl Future<Output = Result<Option<User>, UserError>> + Send;
    /// Up to `limit` users after `after`, in order of id.
    fn list(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<User>, UserError>> + Send;
    /// Adds a user; [`UserError::EmailTaken`] if the address is in use.
    fn insert(&self, user: ValidUser) -> impl Future<Output = Result<User, UserError>> + Send;
    /// Changes a user; [`UserError::NotFound`] if there is none.
    fn update(&self, id: Uuid, changes: UserChanges) -> impl Future<Output = Result<User, UserError>> + Send;
}

/// A cache entry. `user: None` remembers that there is no such user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The user, as the database had it.
    pub user: Option<User>,
    /// After this the entry is stale: used only while the database fails.
    pub fresh_until: DateTime<Utc>,
}

/// The cache did not respond; callers continue without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cache did not answer")]
pub struct CacheFailure;

/// What happened in a lookup, to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookupEvent {
    /// There was a fresh entry.
    Hit,
    /// There was none.
    Miss,
    /// The database is read.
    OriginRead,
    /// It shares the database read of another lookup.
    Coalesced,
    /// An expired copy was served because the database failed.
    StaleServed,
    /// Its read past a failed cache was refused.
    BypassRefused,
}

/// What holds a lookup up while its cache or the database fails: which of it is in force. Each can be switched off while the
/// service runs, so every lookup is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protections {
    /// Concurrent reads of one id share a read of the database.
    pub single_flight: bool,
    /// The time of expiry is spread.
    pub ttl_jitter: bool,
    /// A stale copy is served while the database fails.
    pub stale_on_error: bool,
    /// Reads past a failed cache are bounded.
    pub bulkhead: bool,
    /// Reads of the database have a deadline.
    pub timeout: bool,
}

/// Where copies are kept.
pub trait UserCache: Clone + Send + Sync + 'static {
    /// The entry of `id`.
    fn get(&self, id: Uuid) -> impl Future<Output = Result<Option<Entry>, CacheFailure>> + Send;
    /// Keeps `entry` for `keep`; a failure costs only speed and is not reported.
    fn put(&self, id: Uuid, entry: Entry, keep: Duration) -> impl Future<Output = ()> + Send;
    /// Removes the entry of `id`.
    fn remove(&self, id: Uuid) -> impl Future<Output = Result<(), CacheFailure>> + Send;
    /// Counts what happened to a lookup.
    fn record(&self, event: LookupEvent);
}
