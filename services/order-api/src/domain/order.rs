//! The values in requests for orders and in stored orders. Each is valid once it exists.

use chrono::{DateTime, Utc};
use contracts::orders::{Item, OrderStatus};
use uuid::Uuid;

/// An order that is valid and not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// UUIDv7: newer orders have larger ids.
    pub id: Uuid,
    /// Who orders.
    pub user_id: Uuid,
    /// 1 to 50 lines.
    pub items: Vec<Item>,
    /// Sum of the lines.
    pub total_cents: i64,
    /// The caller's key, if there is one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// When it was accepted.
    pub placed_at: DateTime<Utc>,
}

/// The order that an idempotency key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its id.
    pub id: Uuid,
    /// Who ordered.
    pub user_id: Uuid,
    /// What was ordered.
    pub items: Vec<Item>,
    /// Its total, as in the response.
    pub total_cents: i64,
}

impl Earlier {
    /// Whether `order` repeats the same request.
    #[must_use]
    pub fn is_same_request(&self, order: &NewOrder) -> bool {
        self.user_id == order.user_id && self.items == order.items
    }
}

/// A caller's name for a request, so that it can be repeated safely: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// What a key must be, as a sentence for the caller.
    pub const EXPECTED: &str = "1 to 255 printable ASCII characters, given once";

    /// Parses a header value; `None` if it is not a key.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim_matches(' ');
        let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
        ((1..=255).contains(&text.len()) && printable).then(|| Self(text.to_owned()))
    }

    /// The key itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which orders to list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListFilter {
    /// Only this user's.
    pub user_id: Option<Uuid>,
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// Only those older than this one.
    pub below: Option<Uuid>,
    /// As many at most.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_printable_and_bounded() {
        assert!(IdempotencyKey::parse(b"a").is_some());
        assert!(IdempotencyKey::parse(&[b'k'; 255]).is_some());
        for bad in [&b""[..], b"   ", &[b'k'; 256], b"a\tb", "schl\u{fc}ssel".as_bytes(), &[0xff]] {
            assert_eq!(IdempotencyKey::parse(bad), None, "{bad:?}");
        }
    }
}
