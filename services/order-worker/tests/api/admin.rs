//! The admin port is the only one, and rejects bad requests politely.

use http::Method;
use proptest::{prelude::*, test_runner::TestRunner};

use crate::worker::Worker;

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_has_no_public_port() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    assert!(worker.running.public.is_none());
    assert_eq!(worker.admin.get("/version").await.expect_status(200).json()["service"], "order-worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_fault_is_one_that_somebody_does() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    // `main` claims these two when it starts traces and logs, which a process does once.
    assert_eq!(worker.running.chassis.faults.unclaimed(), ["trace-drop", "log-drop"]);
}

#[test]
fn hostile_requests_to_the_admin_port_are_refused_civilly() {
    testkit::needs!(Postgres);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let worker = runtime.block_on(Worker::start());
    let hostile = (
        prop::sample::select(vec!["GET", "PUT", "POST", "PATCH", "DELETE", "BREW"]),
        prop::sample::select(vec!["/faults/", "/protections/", "/faults", "/", "/metrics/", "/livez/"]),
        "[!-~&&[^#?/]]{1,40}",
        "[!-~&&[^#]]{0,60}",
    );
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&hostile, |(method, root, name, query)| {
        let known = order_worker::faults::CATALOGUE.iter().any(|fault| fault.spec().name == name);
        prop_assume!(!known);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let path = format!("{root}{name}?{query}");
        let Ok(answer) = runtime.block_on(worker.admin.try_send(method, &path, &[], "")) else {
            return Ok(());
        };
        prop_assert!((400..500).contains(&answer.status), "{:?}", answer);
        prop_assert_eq!(answer.header("content-type"), "application/problem+json");
        Ok(())
    });
    outcome.unwrap();
}
