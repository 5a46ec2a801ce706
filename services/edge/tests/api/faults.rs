//! The faults between the edge and its upstreams.

use testkit::eventually;

use crate::rig::{Edge, SOON, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_an_upstream_can_fail_and_recovers_by_itself() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    for (plan, status) in [("upstream-unreachable?ttl=1s", 502), ("upstream-error?status=503&ttl=1s", 503)] {
        let before = upstream.requests();
        edge.admin.put(&format!("/faults/{plan}")).await.expect_status(200);
        let answer = edge.http.get("/").await;
        answer.expect_status(status);
        assert_eq!(upstream.requests(), before, "{plan}");
        for word in ["fault", "inject", "simulat", "chaos"] {
            assert!(!answer.body.to_lowercase().contains(word), "{}", answer.body);
        }
        eventually(SOON, async || match edge.http.get("/").await.status {
            200 => Ok(()),
            status => Err(format!("still {status}")),
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_way_makes_answers_late() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to_with(&[upstream.addr], ", timeout: 300ms")).await;
    edge.admin.put("/faults/upstream-latency?delay=5s&ttl=1m").await.expect_status(200);
    edge.http.get("/").await.expect_problem(504, "gateway-timeout");
    edge.admin.delete("/faults/upstream-latency").await.expect_status(200);
    edge.http.get("/").await.expect_status(200);
}
