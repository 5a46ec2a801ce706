//! A shutdown lets work finish, up to a deadline; a drop stops at once.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::get};
use testkit::eventually;
use tokio::{net::TcpStream, sync::Semaphore};

use crate::support::{CATALOGUE, app, start, start_app};

fn gated(gate: &Arc<Semaphore>) -> Router {
    let handler = |State(gate): State<Arc<Semaphore>>| async move {
        gate.acquire().await.expect("an open gate").forget();
        "through"
    };
    Router::new().route("/things/{id}", get(handler)).with_state(Arc::clone(gate))
}

#[tokio::test]
async fn a_shutdown_becomes_unready_finishes_requests_and_refuses_new_connections() {
    let gate = Arc::new(Semaphore::new(0));
    let service = start(gated(&gate), &[]).await;
    let address = service.running.public.expect("a public port");
    let request = tokio::spawn({
        let public = service.public.clone();
        async move { public.get("/things/1").await }
    });
    service.reaches("http_requests_in_flight", &[], 1.0).await;

    let stop = tokio::spawn(service.running.stop());
    let admin = service.admin;
    eventually(Duration::from_secs(5), || async {
        let ready = admin.get("/readyz").await;
        let refused = TcpStream::connect(address).await.is_err();
        if ready.status == 503 && refused { Ok(()) } else { Err(format!("{ready:?}, refused: {refused}")) }
    })
    .await;
    assert!(admin.get("/readyz").await.body.contains("stopping"));
    gate.add_permits(1);
    request.await.expect("no panic").expect_status(200);
    assert!(stop.await.expect("no panic"), "everything finished");
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let gate = Arc::new(Semaphore::new(0));
    let service = start(gated(&gate), &["--drain-timeout=100ms"]).await;
    let public = service.public.clone();
    let request = tokio::spawn(async move { public.try_send(http::Method::GET, "/things/1", &[], "").await });
    service.reaches("http_requests_in_flight", &[], 1.0).await;
    assert!(!service.running.stop().await, "cut short");
    assert!(request.await.expect("no panic").is_err());
}

#[tokio::test]
async fn a_drop_closes_connections_and_ends_background_tasks() {
    let gate = Arc::new(Semaphore::new(0));
    let app = app(&[], CATALOGUE);
    let (alive, gone) = tokio::sync::oneshot::channel::<()>();
    app.chassis.spawn(async move {
        std::future::pending::<()>().await;
        drop(alive);
    });
    let service = start_app(app, gated(&gate)).await;
    let public = service.public.clone();
    let request = tokio::spawn(async move { public.try_send(http::Method::GET, "/things/1", &[], "").await });
    service.reaches("http_requests_in_flight", &[], 1.0).await;
    drop(service.running);
    assert!(request.await.expect("no panic").is_err());
    assert!(gone.await.is_err(), "dropped without a result");
}
