//! Implementations of the domain's ports with PostgreSQL and Redis.

mod seeds;
mod switches;
mod user_cache;
mod user_count;
mod user_store;

pub use seeds::seed;
pub use switches::Switches;
pub use user_cache::{CACHE, RedisUserCache};
pub use user_count::RedisUserCount;
pub use user_store::{PgUserStore, error as store_error};
