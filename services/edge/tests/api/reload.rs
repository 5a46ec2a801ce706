//! New routes and rules, while requests are under way.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::future::join_all;
use testkit::eventually;

use crate::rig::{Edge, SOON, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_in_flight_loses_no_request() {
    let (one, two) = (Upstream::start("one").await, Upstream::start("two").await);
    let edge = Edge::start(&to(&[one.addr])).await;
    let done = AtomicBool::new(false);
    let client = async || {
        let mut asked = 0_u32;
        while !done.load(Relaxed) {
            edge.http.get("/").await.expect_status(200);
            asked += 1;
        }
        asked
    };
    let reloads = async {
        for replicas in [[two.addr], [one.addr]].iter().cycle().take(40) {
            edge.write(&to(replicas));
            edge.admin.send(http::Method::POST, "/reload", &[], String::new()).await.expect_status(200);
            edge.admin.put("/waf/scanners?mode=simulate").await.expect_status(200);
            edge.admin.delete("/waf").await.expect_status(200);
        }
        done.store(true, Relaxed);
    };
    let (asked, ()) = futures::join!(join_all((0..4).map(|_| client())), reloads);
    assert!(asked.iter().sum::<u32>() > 10, "{asked:?}");
    assert!(one.requests() > 0 && two.requests() > 0);
    let scrape = edge.scrape().await;
    assert_eq!(scrape.value("edge_reloads_total", &[("result", "applied")]), 40.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_mistakes_changes_nothing_and_is_shown_until_it_is_corrected() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    edge.write("upstreams: {}\nroutes: nonsense\n");
    for _ in 0..2 {
        let refused = edge.admin.send(http::Method::POST, "/reload", &[], String::new()).await;
        let problem = refused.expect_problem(400, "invalid-request");
        assert!(problem["errors"]["1"].as_str().unwrap().contains("routes.yaml:2: routes"), "{problem}");
    }
    edge.http.get("/").await.expect_status(200);
    let scrape = edge.scrape().await;
    assert_eq!(scrape.value("edge_files_sound", &[]), 0.0);
    assert_eq!(scrape.value("edge_reloads_total", &[("result", "refused")]), 1.0, "it is one change");
    let shown = edge.admin.get("/routes").await.json();
    assert_eq!(shown["problems"].as_array().unwrap().len(), 1, "{shown}");
    edge.write(&to(&[upstream.addr]));
    edge.admin.send(http::Method::POST, "/reload", &[], String::new()).await.expect_status(200);
    assert_eq!(edge.scrape().await.value("edge_files_sound", &[]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_found_without_being_told() {
    let (one, two) = (Upstream::start("one").await, Upstream::start("two").await);
    let edge = Edge::with(&to(&[one.addr]), &["--reload-every=20ms"]).await;
    assert_eq!(edge.asks("/", &[]).await, "one");
    edge.write(&to(&[two.addr]));
    eventually(SOON, async || match edge.asks("/", &[]).await.as_str() {
        "two" => Ok(()),
        other => Err(other.to_owned()),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_replicas_outlives_a_reload_that_does_not_concern_them() {
    let upstream = Upstream::start("one").await;
    let replicas = [testkit::free_addr(), upstream.addr];
    let edge = Edge::start(&to(&replicas)).await;
    for _ in 0..2 {
        edge.http.get("/").await.expect_status(200);
    }
    edge.write(&to_with(&replicas, ", retries: 1"));
    edge.admin.send(http::Method::POST, "/reload", &[], String::new()).await.expect_status(200);
    let shown = edge.admin.get("/routes").await.json();
    assert_eq!(shown["routes"][0]["retries"], 1);
    assert_eq!(shown["upstreams"][0]["replicas"][0]["out"], true, "{shown}");
}
