//! The outage of 2 July 2019 in small: a rule that blocks nothing, and what it costs with the guard and
//! without it.

use http::Method;
use testkit::{Answer, eventually};

use crate::rig::{Edge, INCIDENT, SOON, Upstream, to};

const GUARD_OFF: &str = "/protections/regex-guard?enabled=false";
const OF_RULE: [(&str, &str); 1] = [("rule", "inline-script")];

async fn post(edge: &Edge, digits: usize) -> Answer {
    edge.http.send(Method::POST, "/orders", &[], "7".repeat(digits)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_guard_a_runaway_is_a_counted_overrun_and_the_request_passes() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    edge.push("inline-script", INCIDENT).await;
    for digits in [200, 5_000, 60_000] {
        post(&edge, digits).await.expect_status(200);
    }
    let scrape = edge.scrape().await;
    assert_eq!(scrape.value("edge_waf_overruns_total", &OF_RULE), 3.0);
    assert_eq!(scrape.value("edge_waf_steps_total", &OF_RULE), 60_000.0, "its cost, three times");
    assert_eq!(scrape.value("edge_waf_stuck_total", &[]), 0.0);
    // What it finds is counted and passes: it only simulates.
    edge.http.send(Method::POST, "/", &[], "x=\"1\";y=2".to_owned()).await.expect_status(200);
    let found = [("rule", "inline-script"), ("action", "simulated")];
    assert_eq!(edge.scrape().await.value("edge_waf_matches_total", &found), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overrun_blocks_where_the_rule_says_so() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let strict =
        INCIDENT.replace("mode: simulate", "mode: enforce").replace("on_overrun: pass", "on_overrun: block");
    edge.push("inline-script", &strict).await;
    post(&edge, 200).await.expect_problem(403, "request-blocked");
    edge.http.send(Method::POST, "/", &[], "hello world".to_owned()).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_guard_every_request_is_a_502_until_the_kill_switch() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::with(&to(&[upstream.addr]), &["--waf-threads=1", "--waf-patience=300ms"]).await;
    edge.push("inline-script", INCIDENT).await;
    edge.admin.put(GUARD_OFF).await.expect_status(200);
    let answer = post(&edge, 20_000).await;
    answer.expect_problem(502, "bad-gateway");
    assert_eq!(answer.header("via"), "1.1 edge");
    // Now the only thread is taken, and requests that no rule would find wait for it, too.
    edge.http.get("/").await.expect_problem(502, "bad-gateway");
    let burnt = eventually(SOON, async || {
        let scrape = edge.scrape().await;
        let seconds = scrape.value("edge_waf_cpu_seconds_total", &OF_RULE);
        let busy = scrape.value("edge_waf_threads_busy", &[]);
        if seconds > 0.1 && busy == 1.0 { Ok(scrape) } else { Err(format!("{seconds} s, {busy} busy")) }
    })
    .await;
    assert!(burnt.value("edge_waf_stuck_total", &[]) >= 2.0);
    edge.admin.get("/livez").await.expect_status(200);

    edge.admin.put("/waf?enabled=false").await.expect_status(200);
    edge.http.get("/").await.expect_status(200);
    eventually(SOON, async || match edge.scrape().await.value("edge_waf_threads_busy", &[]) {
        0.0 => Ok(()),
        busy => Err(format!("{busy} busy")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_the_rule_frees_the_threads_and_waiting_requests_are_judged_by_the_rest() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::with(&to(&[upstream.addr]), &["--waf-threads=1", "--waf-patience=20s"]).await;
    edge.push("inline-script", INCIDENT).await;
    edge.admin.put(GUARD_OFF).await.expect_status(200);
    let withdrawn = async {
        eventually(SOON, async || match edge.scrape().await.value("edge_waf_threads_busy", &[]) {
            1.0 => Ok(()),
            busy => Err(format!("{busy} busy")),
        })
        .await;
        edge.admin.delete("/waf/inline-script").await.expect_status(200);
    };
    let (answer, ()) = futures::join!(post(&edge, 20_000), withdrawn);
    answer.expect_status(200);
    edge.http.get("/?q=%3Cscript%3E").await.expect_problem(403, "request-blocked");
}
