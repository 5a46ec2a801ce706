//! The same work for few orders and for many. `cargo xtask perf REV --instructions` runs both under valgrind: the difference of what
//! they cost, divided by the difference of their orders, is an order without start-up.

use crate::lab::{Lab, Parts, order, run};

/// Places them one after the other, and waits until all are settled.
fn settle(orders: usize) {
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let mut accepted = Vec::new();
        for _ in 0..orders {
            accepted.push(lab.place(&order(1)).await);
        }
        let report = lab.at_rest(&accepted).await;
        assert_eq!(report.orders.values().sum::<u64>(), orders as u64);
    });
}

#[test]
fn settling_20_orders() {
    testkit::needs!(Postgres, Redis);
    settle(20);
}

#[test]
fn settling_120_orders() {
    testkit::needs!(Postgres, Redis);
    settle(120);
}
