//! Keys of the W3C baggage in which requests and messages name their user.

/// The user's id.
pub const USER_ID: &str = "user.id";
/// The user's tier.
pub const USER_TIER: &str = "user.tier";
