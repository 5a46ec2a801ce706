//! RPO and RTO.

use proptest::{collection::vec, prelude::*};
use recovery::{Accepted, Loss};

use crate::history::at;

fn order(second: i64, survived: bool) -> Accepted {
    Accepted { at: at(second), survived }
}

#[test]
fn rpo_is_the_age_of_the_oldest_lost_order_and_rto_the_time_to_the_next_acceptance() {
    let orders = [order(1, true), order(8, false), order(7, false), order(9, true), order(40, true)];
    let loss = Loss::of(&orders, at(10), Some(at(33)));
    assert_eq!((loss.accepted, loss.lost), (4, 2));
    assert!((loss.rpo_seconds - 3.0).abs() < 1e-9, "{loss:?}");
    assert_eq!(loss.rto_seconds, Some(23.0));
    assert!(loss.within(5.0, 60.0) && !loss.within(2.9, 60.0) && !loss.within(5.0, 20.0));
}

#[test]
fn without_an_order_after_the_disaster_rto_is_unknown_and_not_within_any_bar() {
    let loss = Loss::of(&[order(1, true)], at(10), None);
    assert_eq!((loss.lost, loss.rpo_seconds, loss.rto_seconds), (0, 0.0, None));
    assert!(!loss.within(1e9, 1e9));
}

proptest! {
    #[test]
    fn rpo_is_zero_exactly_if_nothing_was_lost_before_the_disaster(
        orders in vec((0..100_i64, any::<bool>()), 0..50), disaster in 0..100_i64,
    ) {
        let orders: Vec<_> = orders.into_iter().map(|(second, survived)| order(second, survived)).collect();
        // An order that was accepted at the moment of the disaster has lost no time.
        let lost = orders.iter().any(|order| !order.survived && order.at < at(disaster));
        let loss = Loss::of(&orders, at(disaster), None);
        prop_assert_eq!(loss.rpo_seconds > 0.0, lost);
        prop_assert!(loss.lost <= loss.accepted && loss.accepted <= orders.len());
    }
}
