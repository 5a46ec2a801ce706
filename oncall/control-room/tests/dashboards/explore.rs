//! The pages of Explore.

use std::fs;

use chrono::Utc;
use serde_json::json;

use crate::{
    fakes::{Fake, TRACE},
    rig::{NOBODY, Rig, between},
};

#[tokio::test]
async fn a_query_is_shown_with_its_curve_and_its_values() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    assert!(rig.page("/explore").await.contains("Where to begin"));
    let page = rig.page("/explore?query=up%20%3D%3D%201").await;
    assert!(
        page.contains("data-chart=\"/explore/chart.json?query=up%20%3D%3D%201&amp;from=now-15m&amp;to=now\""),
        "{page}"
    );
    assert!(page.contains("0.500") && page.contains("order-api") && page.contains("b-line"), "{page}");
    let chart = rig.json("/explore/chart.json?query=up&from=now-5m&to=now").await;
    assert_eq!(chart["data"][1][0], 0.5, "{chart}");
    fake.with(|memory| memory.refuses = Some("sum(".to_owned()));
    let refused = rig.page("/explore?query=sum(").await;
    assert!(
        refused.contains("Prometheus refuses the query.") && refused.contains("no such thing"),
        "{refused}"
    );
    rig.stop().await;
}

#[tokio::test]
async fn what_was_found_is_added_to_an_incident_once_and_by_the_form_only() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    let opened = rig
        .api("/api/v1/incidents", &json!({ "title": "Orders fail", "severity": "SEV-2", "services": [] }))
        .await;
    let id = opened["id"].as_str().expect("an id").to_owned();
    let path = format!("/explore?query=up&incident={id}");
    let timeline = format!("/api/v1/incidents/{id}/timeline");
    let page = rig.page(&path).await;
    assert!(page.contains(&format!("Add to {id}")), "{page}");
    let looked = rig.page(&timeline).await;
    assert!(!looked.contains("\"kind\":\"query\""), "looking changes nothing: {looked}");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    let answer = between(&page, "name=\"answer\" value=\"", "\"").to_owned();
    let fields = [
        ("csrf", csrf.as_str()),
        ("incident", &id),
        ("query", "up"),
        ("answer", &answer),
        ("link", "/explore?query=up"),
        ("text", "all are up"),
    ];
    let done = rig.post("/explore/note", &fields).await;
    assert_eq!(
        (done.status, done.location.as_str()),
        (303, format!("/explore?query=up&noted={id}").as_str()),
        "{}",
        done.body
    );
    assert!(rig.page(&done.location).await.contains("Added to the timeline"));
    let after = rig.page(&timeline).await;
    assert_eq!(
        (after.matches("all are up").count(), after.contains("/explore?query=up")),
        (1, true),
        "{after}"
    );
    let mut elsewhere = fields;
    elsewhere[4].1 = "https://evil.example/";
    assert_eq!(rig.post("/explore/note", &elsewhere).await.status, 422);
    rig.stop().await;
}

#[tokio::test]
async fn a_query_that_is_run_for_an_incident_is_in_its_timeline_once() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    assert!(rig.page("/explore").await.contains("method=\"get\" action=\"/explore\""));
    let new = json!({ "title": "Orders fail", "severity": "SEV-3", "services": [] });
    let id = rig.api("/api/v1/incidents", &new).await["id"].as_str().expect("an id").to_owned();
    assert!(rig.page(&format!("/incidents/{id}")).await.contains(&format!("/explore?incident={id}")));
    let page = rig.page(&format!("/explore?incident={id}")).await;
    assert!(page.contains("method=\"post\" action=\"/explore/run\""), "{page}");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    let timeline = format!("/api/v1/incidents/{id}/timeline?kind=query");
    let queries = async || rig.json(&timeline).await["timeline"].as_array().expect("a list").clone();
    let range = [("csrf", csrf.as_str()), ("incident", id.as_str()), ("from", "now-5m"), ("to", "now")];
    for (query, expected) in [("up", 1), ("up", 1), ("up == 0", 2)] {
        let ran = rig.post("/explore/run", &[&range[..], &[("query", query)]].concat()).await;
        assert_eq!(ran.status, 303, "{}", ran.body);
        assert!(ran.location.starts_with("/explore?incident=") && ran.location.contains("from=now-5m"));
        rig.page(&ran.location).await;
        assert_eq!(queries().await.len(), expected, "{query}");
    }
    let all = queries().await;
    let first = &all[0];
    assert_eq!((&first["text"], &first["evidence"][0]["query"]), (&json!("ran a query"), &json!("up")));
    assert!(first["evidence"][0]["answer"].as_str().is_some_and(|answer| answer.contains("0.5")), "{first}");
    for (path, field) in [("/explore/logs/run", ("level", "ERROR")), ("/explore/traces/run", ("min", "1s"))] {
        let ran = rig.post(path, &[&range[..], &[field]].concat()).await;
        assert_eq!(ran.status, 303, "{path}: {}", ran.body);
    }
    assert_eq!(queries().await.len(), 4);
    let forged = [("csrf", "0"), ("incident", id.as_str()), ("query", "up > 1")];
    assert_eq!(rig.post("/explore/run", &forged).await.status, 422);
    rig.api(&format!("/api/v1/incidents/{id}/state"), &json!({ "to": "dismissed", "why": "a test" })).await;
    rig.post("/explore/run", &[&range[..], &[("query", "up > 2")]].concat()).await;
    assert_eq!(queries().await.len(), 4, "it is over");
    rig.stop().await;
}

#[tokio::test]
async fn traces_are_found_and_drawn_as_a_waterfall() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    let list = rig.page("/explore/traces?service=order-api&min=250ms&limit=5").await;
    assert!(
        list.contains(&format!("href=\"/explore/traces/{TRACE}\""))
            && list.contains("order-api POST /orders"),
        "{list}"
    );
    let trace = rig.page(&format!("/explore/traces/{TRACE}")).await.replace('\u{a0}', " ");
    assert!(
        trace.contains("300 ms") && trace.contains("GET /users") && trace.contains("b-bar k-red"),
        "{trace}"
    );
    assert!(trace.contains(&format!("/explore/logs?trace={TRACE}")), "{trace}");
    let moved = rig.get(&format!("/trace/{TRACE}")).await;
    assert_eq!((moved.status, moved.location), (308, format!("/explore/traces/{TRACE}")));
    assert!(rig.page("/explore/traces/abc").await.contains("does not have this trace"));
    assert_eq!(rig.get("/explore/traces/not-hex").await.status, 422);
    assert_eq!(rig.get("/explore/traces?min=long").await.status, 422);
    rig.stop().await;
    let rig = Rig::watching(NOBODY, None).await;
    assert!(rig.page("/explore/traces").await.contains("does not answer"));
    rig.stop().await;
}

#[tokio::test]
async fn log_lines_are_found_by_service_level_and_text() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let line = |level: &str, message: &str| {
        format!(
            "{{\"timestamp\":\"{}\",\"level\":\"{level}\",\"message\":\"{message}\",\"trace_id\":\"{TRACE}\"}}\n",
            Utc::now().to_rfc3339()
        )
    };
    fs::write(folder.path().join("order-api.log"), line("ERROR", "it burns") + &line("INFO", "all is well"))
        .expect("a file");
    fs::write(folder.path().join("user-service.log"), line("ERROR", "somebody else")).expect("a file");
    let rig = Rig::start(&fake, Some(folder.path())).await;
    let all = rig.page("/explore/logs").await;
    assert!(
        all.contains("it burns") && all.contains("all is well") && all.contains("somebody else"),
        "{all}"
    );
    let some = rig.page("/explore/logs?service=order-api&level=ERROR").await;
    assert!(
        some.contains("it burns") && !some.contains("all is well") && !some.contains("somebody else"),
        "{some}"
    );
    assert!(some.contains(&format!("href=\"/explore/traces/{TRACE}\"")), "{some}");
    assert_eq!(rig.get("/explore/logs?level=loud").await.status, 422);
    // The same lines on a board.
    let board = rig.page("/d/order-api").await;
    assert!(board.contains("it burns") && !board.contains("somebody else"), "{board}");
    rig.stop().await;
}

#[tokio::test]
async fn a_link_of_grafana_leads_to_the_page_here() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    let board = rig.page("/d/order-api").await;
    let link = between(&board, "href=\"/explore?schemaVersion=1", "\"").replace("&amp;", "&");
    let moved = rig.get(&format!("/explore?schemaVersion=1{link}")).await;
    assert_eq!(moved.status, 303, "{link}");
    assert!(
        moved.location.starts_with("/explore/") && moved.location.contains("service=order-api"),
        "{}",
        moved.location
    );
    rig.page(&moved.location).await;
    assert_eq!(rig.get("/explore?panes=%7B%7D").await.status, 422);
    rig.stop().await;
}
