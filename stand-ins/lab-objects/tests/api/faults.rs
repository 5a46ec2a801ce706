//! Each fault, switched on against the running store: what a client sees, and that it ends.

use crate::{client::code, rig::Rig};

#[tokio::test]
async fn under_slow_down_and_denial_calls_fail_and_work_again_afterwards() {
    let rig = Rig::start(&[]).await;
    rig.client.put("/box/k", "text").await;
    for (fault, status, expected) in
        [("object-error", 503, "SlowDown"), ("object-denied", 403, "AccessDenied")]
    {
        rig.fault(&format!("{fault}?rate=1")).await;
        let answer = rig.client.send("GET", "/box/k", &[], b"").await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected));
        rig.admin.delete(&format!("/faults/{fault}")).await;
        assert_eq!(rig.client.get("/box/k").await, "text");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_plan_may_select_one_call() {
    let rig = Rig::start(&[]).await;
    rig.fault("object-error?rate=1&route=PutObject").await;
    assert_eq!(rig.client.status("GET", "/box").await, 200);
    assert_eq!(rig.client.status("PUT", "/box/k").await, 503);
    rig.stop().await;
}

#[tokio::test]
async fn a_slow_store_takes_the_time_that_was_asked_for() {
    let rig = Rig::start(&[]).await;
    rig.fault("object-slow?rate=1&delay=300ms").await;
    let started = std::time::Instant::now();
    assert_eq!(rig.client.status("GET", "/box").await, 200);
    assert!(started.elapsed() >= std::time::Duration::from_millis(300));
    rig.stop().await;
}

#[tokio::test]
async fn a_full_store_refuses_writes_alone() {
    let rig = Rig::start(&[]).await;
    rig.client.put("/box/k", "text").await;
    rig.fault("object-full?rate=1").await;
    let answer = rig.client.send("PUT", "/box/more", &[], b"more").await;
    assert_eq!((answer.status, code(&answer).as_str()), (403, "QuotaExceeded"));
    assert_eq!(rig.client.get("/box/k").await, "text");
    assert_eq!(rig.client.status("DELETE", "/box/k").await, 204);
    rig.stop().await;
}

#[tokio::test]
async fn a_quota_is_a_full_store_without_a_fault() {
    let rig = Rig::start(&["--quota=8"]).await;
    rig.client.put("/box/k", "12345678").await;
    let answer = rig.client.send("PUT", "/box/more", &[], b"9").await;
    assert_eq!((answer.status, code(&answer).as_str()), (403, "QuotaExceeded"));
    rig.stop().await;
}

#[tokio::test]
async fn damage_on_the_way_out_ends_with_the_fault_and_damage_in_store_stays() {
    let rig = Rig::start(&[]).await;
    let etag = rig.client.put("/box/k", "text").await;
    rig.fault("object-corrupt?rate=1").await;
    let answer = rig.client.send("GET", "/box/k", &[], b"").await;
    assert_eq!((answer.body.len(), answer.header("etag")), (4, etag.as_str()));
    assert_ne!(answer.body, "text");
    rig.admin.delete("/faults/object-corrupt").await;
    assert_eq!(rig.client.get("/box/k").await, "text");

    rig.fault("object-corrupt?rate=1&on=write").await;
    assert_eq!(rig.client.put("/box/k", "text").await, etag);
    rig.admin.delete("/faults/object-corrupt").await;
    let damaged = rig.client.get("/box/k").await;
    assert_eq!(damaged.len(), 4);
    assert_ne!(damaged, "text");
    rig.stop().await;
}

#[tokio::test]
async fn a_lost_object_was_acknowledged_and_is_not_there() {
    let rig = Rig::start(&[]).await;
    rig.fault("object-lost?rate=1").await;
    rig.client.put("/box/k", "text").await;
    assert_eq!(rig.client.status("GET", "/box/k").await, 404);
    rig.admin.delete("/faults/object-lost").await;
    assert_eq!(rig.client.status("GET", "/box/k").await, 404);
    rig.client.put("/box/k", "text").await;
    assert_eq!(rig.client.get("/box/k").await, "text");
    rig.stop().await;
}

#[tokio::test]
async fn calls_and_what_is_kept_are_counted() {
    let rig = Rig::start(&[]).await;
    rig.client.put("/box/k", "text").await;
    rig.client.status("GET", "/box/none").await;
    let text = rig.admin.get("/metrics").await.body;
    for line in [
        "s3_requests_total{operation=\"PutObject\",status=\"200\"} 1",
        "s3_requests_total{operation=\"GetObject\",status=\"404\"} 1",
        "s3_requests_total{operation=\"DeleteObject\",status=\"200\"} 0",
        "s3_received_bytes_total 4",
        "objects_stored 1",
        "objects_stored_bytes 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    rig.stop().await;
}
