//! Load shedding: requests beyond the limit, with and without the protection.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use chassis_faults::protection::Protection;
use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::support::{Service, start};

/// Handlers wait for a permit of the gate.
async fn gated(gate: &Arc<Semaphore>) -> Service {
    let handler = |State(gate): State<Arc<Semaphore>>| async move {
        gate.acquire().await.expect("an open gate").forget();
        "through"
    };
    let routes = Router::new().route("/things/{id}", get(handler)).with_state(Arc::clone(gate));
    start(routes, &["--max-in-flight=2"]).await
}

#[tokio::test]
async fn beyond_the_limit_requests_are_refused_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let service = gated(&gate).await;
    let requests = join_all((0..10).map(|_| service.public.get("/things/1")));
    let release = async {
        // The refused ones get their response while the two admitted still wait.
        service.reaches("http_requests_shed_total", &[], 8.0).await;
        service.reaches("http_requests_in_flight", &[], 2.0).await;
        gate.add_permits(2);
    };
    let (answers, ()) = tokio::join!(requests, release);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert_eq!(refused.len(), 8);
    for answer in refused {
        answer.expect_problem(503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn without_shedding_they_queue_and_all_are_served() {
    let gate = Arc::new(Semaphore::new(0));
    let service = gated(&gate).await;
    service.running.chassis.protections.set(Protection::LoadShedding, false);
    let requests = join_all((0..10).map(|_| service.public.get("/things/1")));
    let release = async {
        service.reaches("http_requests_in_flight", &[], 10.0).await;
        gate.add_permits(10);
    };
    let (answers, ()) = tokio::join!(requests, release);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(service.scrape().await.value("http_requests_shed_total", &[]), 0.0);
}
