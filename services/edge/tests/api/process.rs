//! The binary itself: its metrics, its start, its stop, and its check of files.

use std::{fs, process::Command};

use http::Method;
use testkit::{Http, Process, Scrape, TraceSink, eventually, free_addr, golden};

use crate::rig::{INCIDENT, SOON, Upstream, to_with};

const BINARY: &str = env!("CARGO_BIN_EXE_edge");

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_serves_exports_the_golden_scrape_and_stops_on_sigterm() {
    let upstream = Upstream::start("one").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    fs::write(&file, to_with(&[upstream.addr], "")).unwrap();
    // A receiver of traces, so that their metrics are part of the scrape.
    let traces = TraceSink::start().await;
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text, otlp) = (public.to_string(), admin.to_string(), traces.endpoint());
    let flags = [
        ["--public-addr", &public_text],
        ["--admin-addr", &admin_text],
        ["--edge-routes", file.to_str().unwrap()],
        ["--otlp-endpoint", &otlp],
    ];
    let mut process = Process::start(BINARY, &flags.concat());
    process.ready(admin).await;
    let scrape = Scrape::of(admin).await.contract();
    golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/snapshots/metrics.txt"), &scrape);
    Http::to(public).get("/").await.expect_status(200);
    let line = process.output().lines().find(|line| line.contains(r#""target":"access""#)).map(str::to_owned);
    let line: serde_json::Value = serde_json::from_str(&line.expect("a line of the access log")).unwrap();
    assert_eq!((&line["proxy.route"], &line["proxy.upstream"]), (&"all".into(), &"up".into()), "{line}");
    assert_eq!((&line["proxy.attempts"], &line["http.route"]), (&1.into(), &"/".into()), "{line}");
    assert!(line["request.id"].is_string(), "{line}");

    process.signal("TERM");
    let ended = || std::future::ready(if process.alive() { Err("still running".to_owned()) } else { Ok(()) });
    eventually(SOON, ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_a_rule_that_costs_too_much_once_however_many_requests_meet_it() {
    let upstream = Upstream::start("one").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    fs::write(&file, to_with(&[upstream.addr], ", timeout: 5s")).unwrap();
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text) = (public.to_string(), admin.to_string());
    let flags = [
        ["--public-addr", &public_text],
        ["--admin-addr", &admin_text],
        ["--edge-routes", file.to_str().unwrap()],
        ["--waf-threads", "1"],
        ["--waf-patience", "1s"],
    ];
    let process = Process::start(BINARY, &flags.concat());
    process.ready(admin).await;
    let (public, admin) = (Http::to(public), Http::to(admin));
    let post = async |digits: usize| public.send(Method::POST, "/orders", &[], "7".repeat(digits)).await;
    // Lines about the rule with this text, once there are any.
    let lines = async |text: &str| {
        let named = |line: &&str| line.contains(text) && line.contains(r#""inline-script""#);
        let count = || match process.output().lines().filter(named).count() {
            0 => std::future::ready(Err(process.output())),
            count => std::future::ready(Ok(count)),
        };
        eventually(SOON, count).await
    };

    let rule = INCIDENT.to_owned();
    admin.send(Method::PUT, "/waf/inline-script", &[], rule).await.expect_status(200);
    for _ in 0..3 {
        post(5_000).await.expect_status(200);
    }
    assert_eq!(lines("its search was stopped").await, 1, "{}", process.output());

    admin.put("/protections/regex-guard?enabled=false").await.expect_status(200);
    post(20_000).await.expect_problem(502, "bad-gateway");
    assert_eq!(lines("no request waits for its search").await, 1, "{}", process.output());
    // The search ends, and the processor is free for other tests.
    admin.put("/waf?enabled=false").await.expect_status(200);
}

#[test]
fn files_with_mistakes_exit_64_naming_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    fs::write(&file, "upstreams: {}\nroutes: []\n").unwrap();
    let output = Command::new(BINARY).env("EDGE_ROUTES", &file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("EDGE_ROUTES") && text.contains("routes.yaml:2: routes: "), "{text}");
}

#[test]
fn the_check_passes_the_files_of_the_lab_and_refuses_the_rule_of_the_outage_by_its_cost() {
    let sound = Command::new(BINARY).arg("check").output().unwrap();
    let text = String::from_utf8_lossy(&sound.stdout).into_owned();
    assert!(sound.status.success() && text.contains("9 rules"), "{text}");
    let incidents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf/incidents");
    let refused = Command::new(BINARY).args(["--waf-rules", incidents, "check"]).output().unwrap();
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("inline-script: digits: takes more than 20000 steps"), "{text}");
    // One file alone, too.
    let scanners = concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf/scanners.yaml");
    let one = Command::new(BINARY).args(["--waf-rules", scanners, "check"]).output().unwrap();
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(one.status.success() && text.contains("1 rules"), "{text}");
}
