//! Places an order: every line is checked, every problem is named, and the total never overflows silently.

use std::collections::BTreeMap;

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
/// The JSON pointer of each wrong field, and what would be right.
pub fn place_order(
    request: PlaceOrder,
    idempotency_key: Option<IdempotencyKey>,
    placed_at: DateTime<Utc>,
) -> Result<NewOrder, BTreeMap<String, String>> {
    let mut errors = BTreeMap::new();
    if request.items.is_empty() || request.items.len() > MAX_ITEMS {
        errors.insert("/items".to_owned(), format!("1 to {MAX_ITEMS} lines"));
    }
    for (index, item) in request.items.iter().take(MAX_ITEMS).enumerate() {
        check_item(index, item, &mut errors);
    }
    let Some(total_cents) = total_cents(&request.items) else {
        errors.insert("/items".to_owned(), "a total that fits 64 bits".to_owned());
        return Err(errors);
    };
    if !errors.is_empty() {
        return Err(errors);
    }
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

fn check_item(index: usize, item: &Item, errors: &mut BTreeMap<String, String>) {
    let sku = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if item.sku.is_empty() || item.sku.len() > MAX_SKU || !item.sku.chars().all(sku) {
        errors.insert(format!("/items/{index}/sku"), "1 to 64 characters of A-Z a-z 0-9 - _ .".to_owned());
    }
    if !QUANTITY.contains(&item.quantity) {
        errors.insert(format!("/items/{index}/quantity"), "1 to 1000".to_owned());
    }
    if !UNIT_PRICE_CENTS.contains(&item.unit_price_cents) {
        errors.insert(format!("/items/{index}/unit_price_cents"), "0 to 100000000".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sku: &str, quantity: u32, unit_price_cents: i64) -> Item {
        Item { sku: sku.to_owned(), quantity, unit_price_cents }
    }

    fn place(items: Vec<Item>) -> Result<NewOrder, BTreeMap<String, String>> {
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
        let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
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
        assert!(place(vec![]).unwrap_err().contains_key("/items"));
        assert!(place(vec![item("a", 1, 1); MAX_ITEMS + 1]).unwrap_err().contains_key("/items"));
        assert!(place(vec![item("a", 1, 1); MAX_ITEMS]).is_ok());
    }

    #[test]
    fn a_total_that_does_not_fit_is_refused() {
        assert_eq!(total_cents(&[item("a", 3, i64::MAX / 2)]), None);
        assert_eq!(total_cents(&[item("a", 1, i64::MAX), item("b", 1, 1)]), None);
        assert!(place(vec![item("a", 3, i64::MAX / 2)]).unwrap_err().contains_key("/items"));
    }
}
