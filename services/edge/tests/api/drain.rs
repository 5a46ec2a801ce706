//! A replica that somebody drains: no new requests, never two at once, never the last one, and back by itself.

use futures::future::join_all;
use http::Method;
use testkit::{eventually, free_addr};

use crate::rig::{Edge, SOON, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_replica_gets_no_new_request_until_it_is_put_back() {
    let (one, two) = (Upstream::start("one").await, Upstream::start("two").await);
    let edge = Edge::start(&to(&[one.addr, two.addr])).await;
    let path = format!("/drained?endpoint={}&ttl=10m", two.addr);
    edge.admin.put(&format!("{path}&dry_run=true")).await.expect_status(200);
    assert_eq!(edge.admin.get("/drained").await.json()["drained"], serde_json::json!([]), "only tried");

    let now = edge.admin.put(&path).await.expect_status(200).json();
    assert_eq!(now["drained"][0]["endpoint"], two.addr.to_string(), "{now}");
    assert!(now["drained"][0]["seconds_left"].as_f64() > Some(590.0), "{now}");
    for answer in join_all((0..20).map(|_| edge.http.get("/"))).await {
        answer.expect_status(200);
    }
    // One that fails is not asked again elsewhere, either.
    edge.http.get("/status/503").await.expect_status(503);
    assert_eq!(two.requests(), 0);
    let endpoint = two.addr.to_string();
    let of_two = [("upstream", "up"), ("endpoint", endpoint.as_str())];
    assert_eq!(edge.scrape().await.value("edge_drained", &of_two), 1.0);
    let shown = edge.admin.get("/routes").await.json();
    assert_eq!(shown["upstreams"][0]["replicas"][1]["drained"], true, "{shown}");

    for _ in 0..2 {
        let path = format!("/drained?endpoint={endpoint}");
        edge.admin.delete(&path).await.expect_status(200);
    }
    let before = two.requests();
    for _ in 0..4 {
        edge.http.get("/").await.expect_status(200);
    }
    assert_eq!((two.requests() - before, edge.scrape().await.value("edge_drained", &of_two)), (2, 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn never_two_replicas_are_drained_and_never_the_only_one() {
    let (one, two, three) =
        (Upstream::start("one").await, Upstream::start("two").await, Upstream::start("three").await);
    let edge = Edge::start(&to(&[one.addr, two.addr, three.addr])).await;
    let drain = async |endpoint: std::net::SocketAddr| {
        edge.admin.put(&format!("/drained?endpoint={endpoint}&ttl=1m")).await
    };
    drain(one.addr).await.expect_status(200);
    let problem = drain(two.addr).await.expect_invalid("endpoint");
    assert!(problem["errors"]["endpoint"].as_str().unwrap().contains("never two"), "{problem}");
    drain(one.addr).await.expect_status(200);
    drain(free_addr()).await.expect_problem(404, "not-found");
    edge.admin.put(&format!("/drained?endpoint={}&ttl=2h", one.addr)).await.expect_invalid("ttl");

    // The file now has one replica: it is in use again, and cannot be drained.
    edge.write(&to(&[one.addr]));
    edge.admin.send(Method::POST, "/reload", &[], String::new()).await.expect_status(200);
    assert_eq!(edge.asks("/", &[]).await, "one");
    let problem = drain(one.addr).await.expect_invalid("endpoint");
    assert!(problem["errors"]["endpoint"].as_str().unwrap().contains("the only replica"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_outlives_a_reload_and_ends_by_itself() {
    let (one, two, three) =
        (Upstream::start("one").await, Upstream::start("two").await, Upstream::start("three").await);
    let edge = Edge::start(&to(&[one.addr, two.addr])).await;
    edge.admin.put(&format!("/drained?endpoint={}&ttl=8s", two.addr)).await.expect_status(200);
    edge.write(&to(&[three.addr, two.addr]));
    edge.admin.send(Method::POST, "/reload", &[], String::new()).await.expect_status(200);
    let now = edge.admin.get("/drained").await.json();
    assert_eq!(now["drained"][0]["endpoint"], two.addr.to_string(), "{now}");
    eventually(SOON, async || match edge.asks("/", &[]).await.as_str() {
        "two" => Ok(()),
        other => Err(format!("only {other} answers")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_and_a_reload_at_the_same_moment_lose_neither() {
    let (one, two, three) =
        (Upstream::start("one").await, Upstream::start("two").await, Upstream::start("three").await);
    let files = [to(&[two.addr, one.addr, three.addr]), to(&[one.addr, two.addr])];
    let edge = Edge::start(&files[1]).await;
    let drain = format!("/drained?endpoint={}&ttl=10m", two.addr);
    let drained = async || edge.admin.get("/drained").await.json()["drained"].clone();
    let reload = async |file: &str| {
        edge.write(file);
        edge.reload().await
    };
    for round in 0..40 {
        let (_, done) = futures::join!(reload(&files[0]), edge.admin.put(&drain));
        done.expect_status(200);
        assert_eq!(drained().await[0]["endpoint"], two.addr.to_string(), "round {round}");
        edge.asks("/", &[]).await;
        assert_eq!(two.requests(), 0, "round {round}");
        let (_, done) = futures::join!(reload(&files[1]), edge.admin.delete("/drained"));
        done.expect_status(200);
        assert_eq!(drained().await, serde_json::json!([]), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_all_others_are_gone_the_drained_replica_serves_rather_than_nobody() {
    let (stays, goes) = (Upstream::start("stays").await, free_addr());
    let edge = Edge::start(&to_with(&[stays.addr, goes], ", retries: 2, timeout: 15s")).await;
    edge.admin.put(&format!("/drained?endpoint={}&ttl=10m", stays.addr)).await.expect_status(200);
    // The first request finds that the other one is gone, and ejects it.
    edge.http.get("/").await.expect_status(200);
    assert_eq!(edge.asks("/", &[]).await, "stays");
}
