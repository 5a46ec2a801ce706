//! Keys of the W3C baggage in which requests and messages name their user, and what plans of faults may select by them.

use chassis_core::Attribute;

/// The user's id.
pub const USER_ID: &str = "user.id";
/// The user's tier.
pub const USER_TIER: &str = "user.tier";

/// Attributes by which plans may select requests and messages, in every service that learns the user from them.
pub const ATTRIBUTES: &[Attribute] = &[
    Attribute { key: USER_TIER, param: "user_tier", summary: "only users of this tier" },
    Attribute { key: USER_ID, param: "user_id", summary: "only this user" },
];
