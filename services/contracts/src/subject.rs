//! What requests and messages say about the user that they are for, in W3C baggage.

/// The user's id.
pub const USER_ID: &str = "user.id";
/// The user's tier.
pub const USER_TIER: &str = "user.tier";
