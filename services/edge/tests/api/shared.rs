//! Two edges behind one address.

use testkit::Http;

use crate::rig::{Edge, Upstream, to};

/// Connections that are opened: that all of them fall to the same edge has a chance of 2^-63.
const CONNECTIONS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn edges_share_an_address_and_the_one_that_stays_serves_all_of_it() {
    let upstream = Upstream::start("one").await;
    let routes = to(&[upstream.addr]);
    let first = Edge::with(&routes, &["--edge-shared-addr=127.0.0.1:0"]).await;
    let shared = first.running.port("shared").unwrap();
    let flag = format!("--edge-shared-addr={shared}");
    let second = Edge::with(&routes, &[flag.as_str()]).await;
    assert_ne!(first.running.public, second.running.public, "each has an address of its own, too");
    for _ in 0..CONNECTIONS {
        Http::to(shared).get("/").await.expect_status(200);
    }
    let mut passed = Vec::new();
    for edge in [&first, &second] {
        let scrape = edge.scrape().await;
        let labels = [("route", "all"), ("upstream", "up"), ("status", "200")];
        passed.push(scrape.value("edge_requests_total", &labels));
    }
    assert!(passed.iter().all(|&requests| requests > 0.0), "both had a share: {passed:?}");
    assert_eq!(passed.iter().sum::<f64>(), CONNECTIONS as f64);

    assert!(first.running.stop().await);
    for _ in 0..CONNECTIONS {
        Http::to(shared).get("/").await.expect_status(200);
    }
}
