//! Computes the total a second time, independently of order-api: the lab's correctness indicator.

use contracts::orders::OrderPlaced;

/// The result of the recomputation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalCheck {
    /// The total is the sum of the lines.
    Match,
    /// It is not.
    Mismatch,
    /// The lines cannot be summed, or the total is negative: order-api never writes this.
    Impossible,
}

/// Recomputes the total from the lines.
#[must_use]
pub fn check_total(order: &OrderPlaced) -> TotalCheck {
    let sum = order.items.iter().try_fold(0_i64, |sum, item| {
        item.unit_price_cents.checked_mul(i64::from(item.quantity)).and_then(|line| sum.checked_add(line))
    });
    match sum {
        Some(sum) if sum < 0 || order.total_cents < 0 => TotalCheck::Impossible,
        Some(sum) if sum == order.total_cents => TotalCheck::Match,
        Some(_) => TotalCheck::Mismatch,
        None => TotalCheck::Impossible,
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use contracts::orders::{EVENT_VERSION, Item};
    use uuid::Uuid;

    use super::*;

    fn order(lines: &[(u32, i64)], total_cents: i64) -> OrderPlaced {
        let id = Uuid::now_v7();
        let items = lines.iter().map(|&(quantity, unit_price_cents)| Item {
            sku: "a".to_owned(),
            quantity,
            unit_price_cents,
        });
        OrderPlaced {
            version: EVENT_VERSION,
            event_id: id,
            order_id: id,
            user_id: Uuid::nil(),
            items: items.collect(),
            total_cents,
            placed_at: Utc::now(),
            track: None,
        }
    }

    #[test]
    fn a_total_is_right_wrong_or_impossible() {
        assert_eq!(check_total(&order(&[(2, 150), (1, 5)], 305)), TotalCheck::Match);
        assert_eq!(check_total(&order(&[(2, 150), (1, 5)], 405)), TotalCheck::Mismatch);
        assert_eq!(check_total(&order(&[(1, 5)], -5)), TotalCheck::Impossible);
        assert_eq!(check_total(&order(&[(3, i64::MAX / 2)], 1)), TotalCheck::Impossible);
    }
}
