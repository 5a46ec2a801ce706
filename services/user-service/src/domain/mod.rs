//! The rules of user-service: what a valid user is, and how to read one through a cache that may fail.
//!
//! Pure: knows no HTTP, SQL or Redis, only the two ports below.

mod active;
mod flight;
mod lookup;
mod ports;
mod validation;

pub use active::{ActiveUsers, Sightings, minute};
pub use lookup::{CacheStatus, Found, Lookup, LookupPolicy};
pub use ports::{
    CacheFailure, Cause, Entry, LookupEvent, Protections, Source, UserCache, UserError, UserStore,
};
pub use validation::{UserChanges, ValidUser, validate_new, validate_update};
