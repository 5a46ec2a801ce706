//! The journeys: what is sent, and what the answers must be. No I/O: an answer that is not as it must be is a [`Failure`] with the
//! reason in words.

use bytes::Bytes;
use contracts::{
    orders::{Accepted, Item, Order, OrderStatus, PlaceOrder},
    users::{PROBE_USER, User, seeded_user_id, seeded_user_tier},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

/// What a user comes for; also the value of the label `journey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Journey {
    /// Place an order, wait until it is settled, read it back.
    Order,
    /// Read an account.
    Account,
}

/// A part of a journey; also the value of the label `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    /// `POST /orders`: accepted, with the sum of its items.
    Place,
    /// `GET /orders/{id}` until the order is completed or rejected.
    Settle,
    /// `GET` of what must be there: the same as was written.
    Read,
}

/// How a step or a journey ended; also the value of the label `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// As it must be.
    Ok,
    /// Not in time: no answer, or an order that is still pending.
    Timeout,
    /// No connection, or it broke.
    Transport,
    /// Another status than expected.
    Status,
    /// The right status, and something else than was expected in the answer.
    Wrong,
}

impl Journey {
    /// All journeys.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Its steps, in their order.
    #[must_use]
    pub const fn steps(self) -> &'static [Step] {
        match self {
            Self::Order => &[Step::Place, Step::Settle, Step::Read],
            Self::Account => &[Step::Read],
        }
    }

    /// Name in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Step {
    /// Name in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An answer, complete.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its whole body.
    pub body: Bytes,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure; never [`Outcome::Ok`].
    pub outcome: Outcome,
    /// What was seen, and what was expected.
    pub reason: String,
}

impl Failure {
    /// A failure with its reason.
    #[must_use]
    pub const fn new(outcome: Outcome, reason: String) -> Self {
        Self { outcome, reason }
    }

    fn wrong(reason: String) -> Self {
        Self::new(Outcome::Wrong, reason)
    }
}

/// The user of the probes; the load leaves it alone.
#[must_use]
pub fn user() -> Uuid {
    seeded_user_id(PROBE_USER)
}

/// The order of the `run`-th journey. Its total is a few cents, so that revenue says what customers pay, and is not always the same,
/// so that an answer from before shows.
#[must_use]
pub fn order(run: u64) -> PlaceOrder {
    let item =
        |sku: &str, quantity, unit_price_cents| Item { sku: sku.to_owned(), quantity, unit_price_cents };
    let quantity = if run.is_multiple_of(2) { 1 } else { 2 };
    PlaceOrder { user_id: user(), items: vec![item("PROBE-A", quantity, 2), item("PROBE-B", 1, 3)] }
}

/// What an order costs, in cents.
#[must_use]
pub fn total(order: &PlaceOrder) -> i64 {
    order.items.iter().map(|item| i64::from(item.quantity) * item.unit_price_cents).sum()
}

/// The id of an order that was accepted.
///
/// # Errors
/// When it was not, or with another total.
pub fn accepted(answer: &Answer, order: &PlaceOrder) -> Result<Uuid, Failure> {
    let accepted: Accepted = body(answer, StatusCode::ACCEPTED)?;
    same("total_cents", &accepted.total_cents, &total(order))?;
    Ok(accepted.id)
}

/// How an order was settled; `None` while it is pending.
///
/// # Errors
/// When the answer is not an order.
pub fn settled(answer: &Answer) -> Result<Option<OrderStatus>, Failure> {
    let order: Order = body(answer, StatusCode::OK)?;
    Ok((order.status != OrderStatus::Pending).then_some(order.status))
}

/// Whether an order is the one that was placed, and settled as it was seen before.
///
/// # Errors
/// The first field that differs.
pub fn read_back(answer: &Answer, id: Uuid, placed: &PlaceOrder, status: OrderStatus) -> Result<(), Failure> {
    let order: Order = body(answer, StatusCode::OK)?;
    same("id", &order.id, &id)?;
    same("user_id", &order.user_id, &placed.user_id)?;
    same("items", &order.items, &placed.items)?;
    same("total_cents", &order.total_cents, &total(placed))?;
    same("status", &order.status, &status)
}

/// Whether an account is that of the probes.
///
/// # Errors
/// The first field that differs.
pub fn account(answer: &Answer) -> Result<(), Failure> {
    let found: User = body(answer, StatusCode::OK)?;
    same("id", &found.id, &user())?;
    same("tier", &found.tier, &seeded_user_tier(PROBE_USER))
}

fn same<T: PartialEq + std::fmt::Debug>(field: &str, found: &T, expected: &T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::wrong(format!("{field} is {found:?}, expected {expected:?}")))
}

/// The field of a failed response's body (RFC 9457) that is used.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
}

fn body<T: DeserializeOwned>(answer: &Answer, expected: StatusCode) -> Result<T, Failure> {
    let (found, expected) = (answer.status.as_u16(), expected.as_u16());
    if found != expected {
        let Problem { title } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let title = if title.is_empty() { title } else { format!(" ({title})") };
        return Err(Failure::new(Outcome::Status, format!("status {found}{title}, expected {expected}")));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| Failure::wrong(format!("the body is not what was expected: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, body: Bytes::from(body.to_string()) }
    }

    fn stored(id: Uuid, placed: &PlaceOrder, total: i64, status: &str) -> Value {
        json!({
            "id": id, "user_id": placed.user_id, "items": placed.items, "total_cents": total, "status": status,
            "created_at": "2026-01-02T03:04:05Z", "settled_at": null,
        })
    }

    #[test]
    fn an_order_is_accepted_settled_and_read_back() {
        let (id, placed) = (Uuid::from_u128(7), order(3));
        let taken = answer(202, &json!({"id": id, "status": "pending", "total_cents": 7}));
        assert_eq!(accepted(&taken, &placed), Ok(id));
        assert_eq!(settled(&answer(200, &stored(id, &placed, 7, "pending"))), Ok(None));
        let done = answer(200, &stored(id, &placed, 7, "rejected"));
        assert_eq!(settled(&done), Ok(Some(OrderStatus::Rejected)), "a declined payment settles it too");
        assert_eq!(read_back(&done, id, &placed, OrderStatus::Rejected), Ok(()));
    }

    #[test]
    fn a_failure_says_what_was_seen_and_what_was_expected() {
        let (id, placed) = (Uuid::from_u128(7), order(0));
        let refused = answer(503, &json!({"title": "No answer from user-service"}));
        let failure = accepted(&refused, &placed).unwrap_err();
        assert_eq!(failure.outcome, Outcome::Status);
        assert_eq!(failure.reason, "status 503 (No answer from user-service), expected 202");

        let dearer = answer(200, &stored(id, &placed, 105, "completed"));
        let failure = read_back(&dearer, id, &placed, OrderStatus::Completed).unwrap_err();
        assert_eq!(
            (failure.outcome, failure.reason.as_str()),
            (Outcome::Wrong, "total_cents is 105, expected 5")
        );

        let other = read_back(&dearer, Uuid::from_u128(8), &placed, OrderStatus::Completed).unwrap_err();
        assert!(other.reason.starts_with("id is "), "{other:?}");
        let failure = settled(&answer(200, &json!("an order"))).unwrap_err();
        assert_eq!(failure.outcome, Outcome::Wrong, "{failure:?}");
    }

    #[test]
    fn the_account_is_that_of_the_probes() {
        let account_of = |id: Uuid, tier: &str| {
            json!({
                "id": id, "name": "Anybody", "email": "a@example.com", "tier": tier,
                "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
            })
        };
        assert_eq!(account(&answer(200, &account_of(user(), "free"))), Ok(()));
        let failure = account(&answer(200, &account_of(user(), "premium"))).unwrap_err();
        assert_eq!(failure.reason, "tier is Premium, expected Free");
        assert!(account(&answer(200, &account_of(Uuid::from_u128(1), "free"))).is_err());
    }

    proptest! {
        #[test]
        fn orders_are_valid_cost_a_few_cents_and_differ_from_the_one_before(run in 0_u64..u64::MAX) {
            let placed = order(run);
            prop_assert_eq!(placed.user_id, user());
            prop_assert!((1..100).contains(&total(&placed)));
            prop_assert!(placed.items.iter().all(|item| (1..=1000).contains(&item.quantity)));
            prop_assert_ne!(total(&placed), total(&order(run + 1)));
        }

        #[test]
        fn no_answer_makes_the_checks_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let answer = Answer { status: StatusCode::from_u16(status).unwrap(), body: body.into() };
            let placed = order(0);
            let _ = accepted(&answer, &placed);
            let _ = settled(&answer);
            prop_assert!(read_back(&answer, user(), &placed, OrderStatus::Completed).is_err());
            prop_assert!(account(&answer).is_err());
        }
    }
}
