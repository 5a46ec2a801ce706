//! Places an order: every line is checked, every problem is named, and the total never overflows silently.

use chassis_core::Fields;
use chrono::{DateTime, Utc};
use contracts::orders::{Item, PlaceOrder};
use uuid::Uuid;

use super::{IdempotencyKey, NewOrder};

/// Lines per order at most.
pub const MAX_ITEMS: usize = 50;
const MAX_SKU: usize = 64;
const QUANTITY: std::ops::RangeInclusive<u32> = 1..=1000;
const UNIT_PRICE_CENTS: std::ops::RangeInclusive<i64> = 0..=100_000_000;

/// Turns a request into an order.
///
/// # Errors
/// Every wrong field.
pub fn place_order(
    request: PlaceOrder,
    idempotency_key: Option<IdempotencyKey>,
    placed_at: DateTime<Utc>,
) -> Result<NewOrder, Fields> {
    let mut wrong = Fields::default();
    let lines = request.items.len();
    wrong.unless((1..=MAX_ITEMS).contains(&lines), "/items", format_args!("1 to {MAX_ITEMS} lines"));
    for (index, item) in request.items.iter().take(MAX_ITEMS).enumerate() {
        check_item(index, item, &mut wrong);
    }
    let total = total_cents(&request.items);
    wrong.unless(total.is_some(), "/items", "a total that fits 64 bits");
    let total_cents = wrong.or(total.unwrap_or_default())?;
    Ok(NewOrder {
        id: Uuid::now_v7(),
        user_id: request.user_id,
        items: request.items,
        total_cents,
        idempotency_key,
        placed_at,
    })
}

/// Sum of quantity times unit price; `None` if it does not fit.
#[must_use]
pub fn total_cents(items: &[Item]) -> Option<i64> {
    items.iter().try_fold(0_i64, |sum, item| {
        let line = item.unit_price_cents.checked_mul(i64::from(item.quantity))?;
        sum.checked_add(line)
    })
}

fn check_item(index: usize, item: &Item, wrong: &mut Fields) {
    let sku = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let valid = (1..=MAX_SKU).contains(&item.sku.len()) && item.sku.chars().all(sku);
    wrong.unless(valid, format_args!("/items/{index}/sku"), "1 to 64 characters of A-Z a-z 0-9 - _ .");
    wrong.unless(QUANTITY.contains(&item.quantity), format_args!("/items/{index}/quantity"), "1 to 1000");
    wrong.unless(
        UNIT_PRICE_CENTS.contains(&item.unit_price_cents),
        format_args!("/items/{index}/unit_price_cents"),
        "0 to 100000000",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sku: &str, quantity: u32, unit_price_cents: i64) -> Item {
        Item { sku: sku.to_owned(), quantity, unit_price_cents }
    }

    fn place(items: Vec<Item>) -> Result<NewOrder, Fields> {
        place_order(PlaceOrder { user_id: Uuid::nil(), items }, None, Utc::now())
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines() {
        let order = place(vec![item("a", 2, 150), item("b.c-d_E", 1000, 100_000_000)]).unwrap();
        assert_eq!(order.total_cents, 300 + 100_000_000_000);
        assert_eq!(order.id.get_version_num(), 7);
    }

    #[test]
    fn every_wrong_field_is_named_by_its_json_pointer() {
        let errors =
            place(vec![item("", 0, -1), item("ok", 1, 1), item("no space", 1001, 100_000_001)]).unwrap_err();
        let fields: Vec<&str> = errors.names().collect();
        assert_eq!(
            fields,
            [
                "/items/0/quantity",
                "/items/0/sku",
                "/items/0/unit_price_cents",
                "/items/2/quantity",
                "/items/2/sku",
                "/items/2/unit_price_cents"
            ]
        );
    }

    #[test]
    fn an_order_has_between_one_and_fifty_lines() {
        assert!(place(vec![]).unwrap_err().names().eq(["/items"]));
        assert!(place(vec![item("a", 1, 1); MAX_ITEMS + 1]).unwrap_err().names().eq(["/items"]));
        assert!(place(vec![item("a", 1, 1); MAX_ITEMS]).is_ok());
    }

    #[test]
    fn a_total_that_does_not_fit_is_refused() {
        assert_eq!(total_cents(&[item("a", 3, i64::MAX / 2)]), None);
        assert_eq!(total_cents(&[item("a", 1, i64::MAX), item("b", 1, 1)]), None);
        assert!(place(vec![item("a", 3, i64::MAX / 2)]).unwrap_err().names().any(|name| name == "/items"));
    }
}
