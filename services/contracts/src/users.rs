//! Users as user-service shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a user pays for; also a blast-radius scope of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum UserTier {
    /// Pays nothing: about 70 % of users.
    Free,
    /// About 25 %.
    Standard,
    /// About 5 %.
    Premium,
}

impl UserTier {
    /// Wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// UUIDv7.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// Unique e-mail address.
    pub email: String,
    /// Tier.
    pub tier: UserTier,
    /// RFC 3339 UTC.
    pub created_at: DateTime<Utc>,
    /// RFC 3339 UTC.
    pub updated_at: DateTime<Utc>,
}

/// Number of users that user-service seeds into an empty database.
pub const SEEDED_USERS: u32 = 10_000;

/// The seeded user of the synthetic probes, by number (0-based): a free one, as most are. The load leaves it alone.
pub const PROBE_USER: u32 = SEEDED_USERS - 7;

/// Id of the n-th seeded user (0-based): a valid UUIDv7 with a fixed time, so that load and tests know them in advance.
#[must_use]
pub fn seeded_user_id(n: u32) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

/// Tier of the n-th seeded user: of every 20 consecutive users 14 are free, 5 standard, 1 premium.
#[must_use]
pub const fn seeded_user_tier(n: u32) -> UserTier {
    match n % 20 {
        19 => UserTier::Premium,
        14..=18 => UserTier::Standard,
        _ => UserTier::Free,
    }
}

/// `POST /users`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// 1 to 100 characters, not only spaces, none of them a control character.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
    )]
    pub name: String,
    /// Unique, with one `@`, at most 254 characters, none of them a space or a control character.
    #[schema(
        min_length = 3,
        max_length = 254,
        pattern = r"^[^@\s\x00-\x1F\x7F-\x9F]+@[^@\s\x00-\x1F\x7F-\x9F]+$"
    )]
    pub email: String,
    /// Defaults to `free`.
    pub tier: Option<UserTier>,
}

/// `PATCH /users/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// 1 to 100 characters, not only spaces, none of them a control character.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
    )]
    pub name: Option<String>,
    /// Tier.
    pub tier: Option<UserTier>,
}

/// A page of users.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserPage {
    /// In order of id.
    pub users: Vec<User>,
    /// Pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
