//! Traffic is split by weight, and a header chooses a side.

use std::net::SocketAddr;

use crate::rig::{Edge, Upstream};

fn split(stable: SocketAddr, canary: SocketAddr, weights: [u32; 2]) -> String {
    let [of_stable, of_canary] = weights;
    format!(
        "upstreams:
  stable: {{endpoints: ['http://{stable}']}}
  canary: {{endpoints: ['http://{canary}']}}
routes:
  - name: all
    prefix: /
    canary_header: x-canary
    to: [{{upstream: stable, weight: {of_stable}}}, {{upstream: canary, weight: {of_canary}}}]
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_gets_exactly_its_share_and_the_header_overrules_it() {
    let (stable, canary) = (Upstream::start("stable").await, Upstream::start("canary").await);
    let edge = Edge::start(&split(stable.addr, canary.addr, [95, 5])).await;
    for _ in 0..100 {
        edge.http.get("/").await.expect_status(200);
    }
    assert_eq!((stable.requests(), canary.requests()), (95, 5));
    assert_eq!(edge.asks("/", &[("x-canary", "always")]).await, "canary");
    assert_eq!(edge.asks("/", &[("x-canary", "never")]).await, "stable");
    let labels = [("route", "all"), ("upstream", "canary"), ("status", "200")];
    assert_eq!(edge.scrape().await.value("edge_requests_total", &labels), 6.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_stays_on_its_side_on_every_edge_and_while_the_canary_grows() {
    let (stable, canary) = (Upstream::start("stable").await, Upstream::start("canary").await);
    let small = Edge::start(&split(stable.addr, canary.addr, [75, 25])).await;
    let large = Edge::start(&split(stable.addr, canary.addr, [50, 50])).await;
    let (mut on_canary, mut moved) = (0, 0);
    for client in 0..40 {
        let header = format!("client-{client}");
        let header = [("x-canary", header.as_str())];
        let side = small.asks("/", &header).await;
        assert_eq!(small.asks("/", &header).await, side);
        let later = large.asks("/", &header).await;
        if side == "canary" {
            assert_eq!(later, "canary", "nobody is moved back");
            on_canary += 1;
        } else if later == "canary" {
            moved += 1;
        }
    }
    assert!(on_canary > 0 && moved > 0, "{on_canary} {moved}");
}
