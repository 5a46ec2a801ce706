//! Several replicas: everyone has a turn, and who is sick or gone loses no request.

use futures::future::join_all;
use http::Method;
use testkit::{ChaosProxy, eventually, free_addr};

use crate::rig::{Edge, SOON, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_turns() {
    let (one, two, three) =
        (Upstream::start("one").await, Upstream::start("two").await, Upstream::start("three").await);
    let edge = Edge::start(&to(&[one.addr, two.addr, three.addr])).await;
    for _ in 0..30 {
        edge.http.get("/").await.expect_status(200);
    }
    assert_eq!([one.requests(), two.requests(), three.requests()], [10, 10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_replica_loses_no_request_not_even_one_that_changes_something() {
    let alive = Upstream::start("alive").await;
    let edge = Edge::start(&to(&[free_addr(), alive.addr])).await;
    for method in [Method::GET, Method::POST].into_iter().cycle().take(60) {
        edge.http.send(method, "/", &[], "{}".to_owned()).await.expect_status(200);
    }
    let scrape = edge.scrape().await;
    assert!(scrape.value("edge_retries_total", &[]) >= 1.0);
    let reason = [("reason", "unreachable")];
    assert!(scrape.value("edge_ejections_total", &reason) >= 1.0);
    assert_eq!(alive.requests(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_under_load_loses_no_read() {
    let (stays, dies) = (Upstream::start("stays").await, Upstream::start("dies").await);
    let proxy = ChaosProxy::to(dies.addr).await;
    let edge = Edge::start(&to(&[stays.addr, proxy.addr()])).await;
    join_all((0..20).map(|_| edge.http.get("/"))).await;
    let reads = async || {
        for answer in join_all((0..16).map(|_| edge.http.get("/"))).await {
            answer.expect_status(200);
        }
    };
    let dying = async { proxy.cut() };
    futures::join!(reads(), dying);
    reads().await;
    assert!(dies.requests() > 0, "it had its turns before");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_with_errors_is_taken_out_and_comes_back() {
    let (sound, sick) = (Upstream::start("sound").await, Upstream::start("sick").await);
    let routes = to(&[sound.addr, sick.addr]);
    let routes = routes.replace("]}\nroutes", "], ejection: {after: 2, time: 2s}}\nroutes");
    let edge = Edge::start(&routes).await;
    // Both fail in this way, and half of them stay.
    for _ in 0..10 {
        edge.http.get("/status/500").await.expect_status(500);
    }
    let out = edge.scrape().await.value("edge_ejected", &[("upstream", "up")]);
    assert_eq!(out, 1.0);
    let shown = edge.admin.get("/routes").await.expect_status(200).json();
    let replicas = shown["upstreams"][0]["replicas"].as_array().unwrap();
    assert_eq!(replicas.iter().filter(|replica| replica["out"] == true).count(), 1, "{shown}");
    eventually(SOON, async || match edge.scrape().await.value("edge_ejected", &[("upstream", "up")]) {
        0.0 => Ok(()),
        out => Err(format!("{out} out")),
    })
    .await;
    let before = [sound.requests(), sick.requests()];
    for _ in 0..10 {
        edge.http.get("/").await.expect_status(200);
    }
    assert_eq!([sound.requests() - before[0], sick.requests() - before[1]], [5, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_done_is_not_done_twice_unless_it_has_a_key() {
    let (one, two) = (Upstream::start("one").await, Upstream::start("two").await);
    let edge = Edge::start(&to_with(&[one.addr, two.addr], ", retries: 1")).await;
    let both = || one.requests() + two.requests();
    edge.http.send(Method::POST, "/status/503", &[], String::new()).await.expect_status(503);
    assert_eq!(both(), 1);
    let key = [("idempotency-key", "k-1")];
    edge.http.send(Method::POST, "/status/503", &key, String::new()).await.expect_status(503);
    assert_eq!(both(), 3, "both replicas were asked");
    edge.http.get("/status/503").await.expect_status(503);
    assert_eq!(both(), 5);
    edge.http.get("/status/500").await.expect_status(500);
    assert_eq!(both(), 6, "a bug is not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_is_asked_again_because_it_may_ask_another_replica() {
    let one = Upstream::start("one").await;
    let routes = to_with(&[one.addr], ", retries: 2");
    let alone = Edge::start(&routes).await;
    alone.http.get("/status/503").await.expect_status(503);
    assert_eq!(one.requests(), 1, "the only replica has answered");
    let edge = Edge::start(&routes.replace("]}\nroutes", "], balanced: true}\nroutes")).await;
    edge.http.get("/status/503").await.expect_status(503);
    assert_eq!(one.requests(), 4, "one attempt, and two more");
    edge.http.send(Method::POST, "/status/503", &[], String::new()).await.expect_status(503);
    edge.http.get("/status/500").await.expect_status(500);
    assert_eq!(one.requests(), 6, "what is not repeated elsewhere is not repeated here");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_end_with_their_budget() {
    let (one, two) = (Upstream::start("one").await, Upstream::start("two").await);
    let edge = Edge::start(&to_with(&[one.addr, two.addr], ", retries: 1")).await;
    for _ in 0..100 {
        edge.http.get("/status/503").await.expect_status(503);
    }
    let scrape = edge.scrape().await;
    let (retries, refused) =
        (scrape.value("edge_retries_total", &[]), scrape.value("edge_retries_refused_total", &[]));
    assert_eq!(retries + refused, 100.0);
    // A fifth of the requests, nine to begin with, and three per second.
    assert!((29.0..90.0).contains(&retries), "{retries}");
    edge.admin.put("/protections/retry-budget?enabled=false").await.expect_status(200);
    for _ in 0..20 {
        edge.http.get("/status/503").await.expect_status(503);
    }
    assert_eq!(edge.scrape().await.value("edge_retries_total", &[]), retries + 20.0);
}
