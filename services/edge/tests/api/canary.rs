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
async fn weights_that_are_set_hold_until_they_are_taken_back_or_the_file_changes() {
    let (stable, canary) = (Upstream::start("stable").await, Upstream::start("canary").await);
    let edge = Edge::start(&split(stable.addr, canary.addr, [100, 0])).await;
    let set = edge.admin.put("/routes/all?stable=1&canary=1").await.expect_status(200).json();
    assert_eq!(set["routes"][0]["weights_set"], true);
    for _ in 0..20 {
        edge.http.get("/").await.expect_status(200);
    }
    assert_eq!((stable.requests(), canary.requests()), (10, 10));

    edge.admin.put("/routes/all?stable=3&canary=7").await.expect_status(200);
    let same = edge.reload().await;
    assert_eq!(same["to"][0]["weight"], 3);
    assert_eq!(same["weights_set"], true);
    let back = edge.admin.delete("/routes/all").await.expect_status(200).json();
    assert_eq!(back["routes"][0]["to"][0]["weight"], 100, "of the file, and not of the first change: {back}");
    assert_eq!(back["routes"][0]["weights_set"], false);

    edge.admin.put("/routes/all?stable=0&canary=5").await.expect_status(200);
    edge.write(&split(stable.addr, canary.addr, [90, 10]));
    let other = edge.reload().await;
    assert_eq!(other["to"][0]["weight"], 90);
    assert_eq!(other["weights_set"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_do_not_fit_a_route_are_refused() {
    let (stable, canary) = (Upstream::start("stable").await, Upstream::start("canary").await);
    let edge = Edge::start(&split(stable.addr, canary.addr, [95, 5])).await;
    for wrong in ["stable=1", "stable=0&canary=0", "stable=1&canary=1&other=1", "stable=10001&canary=1", ""] {
        edge.admin.put(&format!("/routes/all?{wrong}")).await.expect_invalid("weights");
    }
    edge.admin.put("/routes/all?stable=1&canary=-1").await.expect_invalid("canary");
    edge.admin.put("/routes/none?stable=1&canary=1").await.expect_problem(404, "not-found");
    let shown = edge.admin.get("/routes").await.json();
    assert_eq!(shown["routes"][0]["to"][1]["weight"], 5);
    assert_eq!(shown["routes"][0]["weights_set"], false);
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
