//! The automatic stop.

use crate::rig::{Rig, Who::Instructor};

const QUERY: &str = "shop:errors:ratio";

fn fields(query: &'static str, limit: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("service", "order-api"),
        ("target", "order-api"),
        ("fault", "http-error"),
        ("p-ttl", "10m"),
        ("stop", "query"),
        ("stop_query", query),
        ("stop_limit", limit),
    ]
}

#[tokio::test]
async fn all_faults_end_as_soon_as_the_condition_is_met() {
    let rig = Rig::start().await;
    rig.prometheus.with(|memory| memory.values.insert(QUERY.to_owned(), 0.01));
    let form = "/faults/order-api/http-error";
    rig.done(Instructor, form, "/faults/set", &fields(QUERY, "0.05")).await;
    let page = rig.until(Instructor, "/faults", "It is 0.01").await;
    assert!(page.contains("shop:errors:ratio is above 0.05"), "{page}");
    assert_eq!(rig.orders.active(), ["http-error"], "below the limit nothing ends");
    rig.prometheus.with(|memory| memory.values.insert(QUERY.to_owned(), 0.2));
    let page = rig.until(Instructor, "/faults", "None. Choose one with a fault").await;
    assert!(page.contains("automatic stop: shop:errors:ratio is above 0.05 (it is 0.2)"), "{page}");
    assert!(page.contains("control room") && page.contains("No fault is on."), "{page}");
    assert!(rig.orders.active().is_empty());
    rig.stop().await;
}

#[tokio::test]
async fn a_fault_that_is_refused_leaves_no_stop_behind_and_a_wrong_condition_sets_no_fault() {
    let rig = Rig::start().await;
    let form = "/faults/order-api/http-error";
    let mut wrong = fields(QUERY, "0.05");
    wrong.push(("p-rate", "7"));
    assert_eq!(rig.form(Instructor, form, "/faults/set", &wrong).await.status, 422);
    assert!(rig.page(Instructor, "/faults").await.contains("None. Choose one with a fault"));
    let shown = rig.form(Instructor, form, "/faults/set", &fields(QUERY, "much")).await;
    assert_eq!(shown.status, 422);
    assert!(shown.body.contains("stop_limit: expected a number"), "{}", shown.body);
    assert!(rig.orders.active().is_empty());
    rig.stop().await;
}

#[tokio::test]
async fn a_stop_that_was_removed_ends_nothing() {
    let rig = Rig::start().await;
    let form = "/faults/order-api/http-error";
    rig.prometheus.with(|memory| memory.values.insert(QUERY.to_owned(), 0.01));
    rig.done(Instructor, form, "/faults/set", &fields(QUERY, "0.05")).await;
    let page = rig.done(Instructor, "/faults", "/faults/stop", &[]).await;
    assert!(page.contains("None. Choose one with a fault"), "{page}");
    rig.prometheus.with(|memory| {
        memory.values.insert(QUERY.to_owned(), 0.2);
        memory.values.insert("other".to_owned(), 1.5);
    });
    // Once this one was read, the other one would have been met.
    rig.done(Instructor, form, "/faults/set", &fields("other", "2")).await;
    rig.until(Instructor, "/faults", "It is 1.5").await;
    assert_eq!(rig.orders.active(), ["http-error"]);
    rig.stop().await;
}
