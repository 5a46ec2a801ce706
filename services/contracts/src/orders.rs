//! Orders as order-api shows them, and the events about them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// 1 to 64 characters of `A-Z a-z 0-9 - _ .`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.-]+$")]
    pub sku: String,
    /// 1 to 1000.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(deserialize_with = "crate::whole::number")]
    pub quantity: u32,
    /// 0 to 100,000,000.
    #[schema(minimum = 0, maximum = 100_000_000)]
    #[serde(deserialize_with = "crate::whole::number")]
    pub unit_price_cents: i64,
}

/// `POST /orders`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// An existing user.
    pub user_id: Uuid,
    /// 1 to 50 lines.
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<Item>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum OrderStatus {
    /// Accepted, not settled yet.
    Pending,
    /// Paid.
    Completed,
    /// Payment declined.
    Rejected,
}

impl OrderStatus {
    /// Wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// UUIDv7.
    pub id: Uuid,
    /// Who ordered.
    pub user_id: Uuid,
    /// Lines.
    pub items: Vec<Item>,
    /// Sum of quantity times unit price, in cents.
    pub total_cents: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// RFC 3339 UTC.
    pub created_at: DateTime<Utc>,
    /// When it was completed or rejected.
    pub settled_at: Option<DateTime<Utc>>,
}

/// Answer to an accepted order (202).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    pub id: Uuid,
    /// Always `pending`.
    pub status: OrderStatus,
    /// Total in cents.
    pub total_cents: i64,
}

/// A page of orders, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OrderPage {
    /// Newest first.
    pub orders: Vec<Order>,
    /// Pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// Which of the two versions that a release compares an instance is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Track {
    /// The old version, started with the canary.
    Baseline,
    /// The new version.
    Canary,
}

impl Track {
    /// Wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Version of the events that this build writes and reads.
pub const EVENT_VERSION: u32 = 1;

/// On topic `orders`: an order was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// [`EVENT_VERSION`].
    pub version: u32,
    /// Unique; the same on every redelivery. Equals the order's id: an order is placed once.
    pub event_id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// Who ordered.
    pub user_id: Uuid,
    /// Lines.
    pub items: Vec<Item>,
    /// Total in cents as the API stored it.
    pub total_cents: i64,
    /// When it was accepted.
    pub placed_at: DateTime<Utc>,
    /// Which of the two versions of a release accepted it; absent if an instance did that is neither of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<Track>,
}

/// On topic `order-outcomes`: an order was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSettled {
    /// [`EVENT_VERSION`].
    pub version: u32,
    /// Unique; the same on every redelivery.
    pub event_id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// `completed` or `rejected`.
    pub status: OrderStatus,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// When payment was decided.
    pub settled_at: DateTime<Utc>,
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not this event.
    #[error("malformed: {0}")]
    Malformed(String),
    /// JSON that ends too early.
    #[error("truncated: {0}")]
    Truncated(String),
    /// A version that this build does not know.
    #[error("unknown version {0}")]
    UnknownVersion(u64),
}

impl DecodeError {
    /// The reason, as in a dead letter's header and metric label.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Truncated(_) => "truncated",
            Self::UnknownVersion(_) => "unknown-version",
        }
    }
}

/// Reads an event, its version first.
///
/// # Errors
/// [`DecodeError`]; every variant is permanent: dead-letter the message.
pub fn decode<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|error| {
        if error.is_eof() {
            DecodeError::Truncated(error.to_string())
        } else {
            DecodeError::Malformed(error.to_string())
        }
    })?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(EVENT_VERSION) => {}
        Some(other) => return Err(DecodeError::UnknownVersion(other)),
        None => return Err(DecodeError::Malformed("no `version`".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| DecodeError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> OrderSettled {
        OrderSettled {
            version: EVENT_VERSION,
            event_id: Uuid::now_v7(),
            order_id: Uuid::now_v7(),
            status: OrderStatus::Completed,
            reason: None,
            settled_at: Utc::now(),
        }
    }

    #[test]
    fn an_event_survives_the_wire() {
        let sent = event();
        let read: OrderSettled = decode(&serde_json::to_vec(&sent).unwrap()).unwrap();
        assert_eq!(read, sent);
    }

    #[test]
    fn an_order_names_the_version_that_accepted_it_only_during_a_release() {
        let id = Uuid::now_v7();
        let of = |track| OrderPlaced {
            version: EVENT_VERSION,
            event_id: id,
            order_id: id,
            user_id: id,
            items: Vec::new(),
            total_cents: 0,
            placed_at: Utc::now(),
            track,
        };
        for (track, written) in [(None, None), (Some(Track::Canary), Some("canary"))] {
            let sent = of(track);
            let wire = serde_json::to_value(&sent).unwrap();
            assert_eq!(wire.get("track").and_then(serde_json::Value::as_str), written);
            assert_eq!(decode::<OrderPlaced>(&serde_json::to_vec(&wire).unwrap()).unwrap(), sent);
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_says_why() {
        let whole = serde_json::to_vec(&event()).unwrap();
        let mut newer = serde_json::to_value(event()).unwrap();
        newer["version"] = 99.into();
        let cases: [(&[u8], &str); 6] = [
            (b"", "truncated"),
            (&whole[..whole.len() / 2], "truncated"),
            (b"\xff\xfe", "malformed"),
            (b"[1]", "malformed"),
            (b"{\"version\":1}", "malformed"),
            (&serde_json::to_vec(&newer).unwrap(), "unknown-version"),
        ];
        for (payload, reason) in cases {
            let error = decode::<OrderSettled>(payload).unwrap_err();
            assert_eq!(error.reason(), reason, "{error}");
        }
    }
}
