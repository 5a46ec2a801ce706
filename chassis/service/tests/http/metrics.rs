//! Requests are counted and timed by route template, from the start and whatever their outcome.

use axum::{Router, routing::get};
use http::Method;

use crate::support::start;

fn things() -> Router {
    Router::new().route("/things/{id}", get(|| async { "thing" }))
}

#[tokio::test]
async fn series_of_declared_routes_start_at_zero() {
    let service = start(things(), &[]).await;
    let scrape = service.scrape().await;
    for status in ["200", "400", "404", "500", "503", "504"] {
        let labels = [("method", "GET"), ("endpoint", "/things/{id}"), ("status", status)];
        assert_eq!(scrape.value("http_requests_total", &labels), 0.0, "{status}");
    }
    assert_eq!(scrape.value("http_requests_total", &[("method", "POST"), ("status", "201")]), 0.0);
    let labels = [("method", "GET"), ("endpoint", "/things/{id}")];
    assert_eq!(scrape.value("http_request_duration_seconds_count", &labels), 0.0);
    assert_eq!(scrape.value("http_requests_in_flight", &[]), 0.0);
    assert_eq!(scrape.value("http_requests_shed_total", &[]), 0.0);
    assert_eq!(scrape.value("http_panics_total", &[]), 0.0);
}

#[tokio::test]
async fn requests_are_counted_by_template_and_not_by_path() {
    let service = start(things(), &[]).await;
    for id in 0..5 {
        service.public.get(&format!("/things/{id}")).await.expect_status(200);
    }
    let scrape = service.scrape().await;
    let labels = [("method", "GET"), ("endpoint", "/things/{id}"), ("status", "200")];
    assert_eq!(scrape.value("http_requests_total", &labels), 5.0);
    assert_eq!(scrape.value("http_request_duration_seconds_count", &labels[..2]), 5.0);
}

#[tokio::test]
async fn unmatched_paths_and_strange_methods_share_bounded_series() {
    let service = start(things(), &[]).await;
    for path in ["/a", "/b", "/things"] {
        let problem = service.public.get(path).await.expect_problem(404, "not-found");
        assert_eq!(problem["instance"], path);
    }
    let brew = Method::from_bytes(b"BREW").expect("a method");
    let answer = service.public.send(brew, "/things/1", &[], String::new()).await;
    answer.expect_problem(405, "method-not-allowed");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
    let scrape = service.scrape().await;
    let unmatched = [("method", "GET"), ("endpoint", "unmatched"), ("status", "404")];
    assert_eq!(scrape.value("http_requests_total", &unmatched), 3.0);
    assert_eq!(scrape.value("http_requests_total", &[("method", "_OTHER"), ("status", "405")]), 1.0);
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_499() {
    let hang = || async { std::future::pending::<()>().await };
    let service = start(Router::new().route("/things/{id}", get(hang)), &[]).await;
    {
        let request = service.public.get("/things/1");
        tokio::pin!(request);
        tokio::select! {
            answer = &mut request => panic!("{answer:?}"),
            () = service.reaches("http_requests_in_flight", &[], 1.0) => {}
        }
    }
    // The client closed its connection when the request was dropped.
    service.reaches("http_requests_total", &[("status", "499")], 1.0).await;
    service.reaches("http_requests_in_flight", &[], 0.0).await;
    let labels = [("endpoint", "/things/{id}")];
    assert_eq!(service.scrape().await.value("http_request_duration_seconds_count", &labels), 1.0);
}

/// In a container, the folder for a process's own files is a mount of its own. `/proc` is one everywhere.
#[tokio::test]
async fn the_file_system_of_the_data_folder_is_measured_too() {
    let (root, other) = ([("mount_point", "/")], [("mount_point", "/proc")]);
    let plain = start(things(), &[]).await.scrape().await;
    assert!(plain.find("disk_free_bytes", &root).is_some());
    assert_eq!(plain.find("disk_free_bytes", &other), None);
    let told = start(things(), &["--data-dir", "/proc/self"]).await.scrape().await;
    assert!(told.find("disk_free_bytes", &root).is_some());
    assert!(told.find("disk_free_bytes", &other).is_some());
}
