//! Every accepted order is judged once: fresh, or late as soon as its time is over, even if it never settles.

use testkit::{Scrape, eventually};

use crate::lab::{Lab, Parts, SOON, order, run, start_worker};

fn judged(scrape: &Scrape, result: &str) -> f64 {
    scrape.value("order_freshness_checked_total", &[("result", result)])
}

#[test]
fn an_order_that_settles_at_once_is_fresh() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let id = lab.place(&order(1)).await;
        lab.settled(&id).await;
        let scrape = eventually(SOON, || async {
            let scrape = lab.scrape().await;
            if judged(&scrape, "fresh") > 0.0 { Ok(scrape) } else { Err("not judged yet".to_owned()) }
        })
        .await;
        assert_eq!((judged(&scrape, "fresh"), judged(&scrape, "late")), (1.0, 0.0));
    });
}

#[test]
fn an_order_that_does_not_settle_is_late_without_an_outcome_and_counted_once() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let accepted = vec![lab.place(&order(1)).await, lab.place(&order(2)).await];
        let before = lab.scrape().await;
        assert_eq!((judged(&before, "fresh"), judged(&before, "late")), (0.0, 0.0), "the time is not over");
        eventually(SOON, || async {
            let late = judged(&lab.scrape().await, "late");
            if late >= 2.0 { Ok(()) } else { Err(format!("{late} late")) }
        })
        .await;
        assert_eq!(lab.scrape().await.value("orders_settled_total", &[]), 0.0, "nothing has settled");

        let _worker = start_worker(&lab.fulfillment_url, lab.kafka.brokers()).await;
        lab.at_rest(&accepted).await;
        let after = eventually(SOON, || async {
            let scrape = lab.scrape().await;
            let settled = scrape.value("orders_settled_total", &[]);
            if settled >= 2.0 { Ok(scrape) } else { Err(format!("{settled} settled")) }
        })
        .await;
        assert_eq!(
            (judged(&after, "fresh"), judged(&after, "late")),
            (0.0, 2.0),
            "settling judges no order again"
        );
    });
}
