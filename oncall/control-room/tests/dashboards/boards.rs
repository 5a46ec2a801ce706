//! The pages of dashboards.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use boards::{Board, model::Kind};
use serde_json::json;

use crate::{
    fakes::{Fake, TRACE},
    rig::{NOBODY, Rig},
};

fn committed() -> Vec<Board> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/grafana");
    let mut boards = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of the boards") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&path).expect("a text");
            boards.push(Board::read(&path.display().to_string(), &text).expect("an accepted board"));
        }
    }
    boards
}

#[tokio::test]
async fn every_board_is_listed_and_drawn_with_all_panels_of_its_open_rows() {
    let fake = Fake::start().await;
    let logs = tempfile::tempdir().expect("a folder");
    let rig = Rig::start(&fake, Some(logs.path())).await;
    let list = rig.page("/dashboards").await;
    for board in committed() {
        assert!(list.contains(&format!("href=\"/d/{}\"", board.uid)), "{}: {list}", board.uid);
        let page = rig.page(&format!("/d/{}", board.uid)).await;
        let open = board.rows.iter().filter(|row| !row.folded).flat_map(|row| &row.panels);
        for panel in open {
            let id = format!("id=\"panel-{}\"", panel.id);
            let (_, rest) =
                page.split_once(&id).unwrap_or_else(|| panic!("{}: {} is missing", board.uid, panel.title));
            let body = rest.split("</article>").next().unwrap_or_default();
            let counted = panel.queries.iter().any(|query| query.expr.contains("$__auto"));
            match (&panel.kind, counted) {
                (_, true) => assert!(body.contains("Needs Loki."), "{}: {body}", panel.title),
                (Kind::Logs, false) => assert!(body.contains("No lines"), "{}: {body}", panel.title),
                _ => assert!(
                    !body.contains("b-trouble") && !body.contains("b-nothing"),
                    "{}: {body}",
                    panel.title
                ),
            }
        }
        assert!(!page.contains("style=") && !page.contains("NaN"), "{}", board.uid);
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_choice_and_a_range_narrow_every_query_and_stay_in_the_form() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    fake.with(|memory| memory.asked.clear());
    let page = rig.page("/d/order-api/any-title?var-job=job-a&from=now-1h&to=now&orgId=1").await;
    let asked = fake.with(|memory| memory.asked.clone());
    let of_panels = asked.iter().filter(|query| query.contains("http_requests_total{job=")).count();
    assert!(of_panels > 0, "{asked:?}");
    for query in asked.iter().filter(|query| query.contains("http_requests_total{job=")) {
        assert!(query.contains("job=~\"job-a\", instance=~\".+\""), "{query}");
    }
    assert!(page.contains("value=\"now-1h\"") && page.contains("value=\"job-a\" checked"), "{page}");
    assert!(page.contains("value=\"job-b\"") && page.contains("value=\"instance-a\""), "{page}");
    // Links of panels keep the range, and a dot leads to its trace.
    assert!(
        page.contains("from=now-1h&amp;to=now") && page.contains(&format!("/explore/traces/{TRACE}")),
        "{page}"
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_folded_row_asks_nothing_until_it_is_opened() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    let asks = |memory: &mut crate::fakes::Memory| {
        memory.asked.iter().any(|query| query.contains("process_threads"))
    };
    let page = rig.page("/d/order-api").await;
    assert!(!fake.with(asks) && page.contains("aria-expanded=\"false\""), "{page}");
    let board = committed().into_iter().find(|board| board.uid == "order-api").expect("a board");
    let row = board.rows.iter().find(|row| row.folded).expect("a folded row").id;
    let opened = rig.page(&format!("/d/order-api?rows={row}")).await;
    assert!(fake.with(asks) && !opened.contains("aria-expanded=\"false\""), "{opened}");
    rig.stop().await;
}

#[tokio::test]
async fn a_panel_that_fails_does_not_keep_the_others_from_being_shown() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    fake.with(|memory| {
        memory.hangs = Some("http_requests_shed_total".to_owned());
        memory.refuses = Some("cache_errors_total".to_owned());
    });
    let begun = Instant::now();
    let page = rig.page("/d/overview").await;
    // The time of one query; the page waits for up to 15 seconds.
    assert!(begun.elapsed().as_secs() < 14, "{:?}", begun.elapsed());
    assert!(
        page.contains("Prometheus is too slow.") && page.contains("Prometheus refuses the query."),
        "{page}"
    );
    assert!(page.contains("no such thing") && page.contains("data-chart=\"/d/overview/panels/"), "{page}");
    rig.stop().await;
    // As one that was stopped: it takes connections and says nothing. Nobody waits for each query in turn.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let rig = Rig::between(&url, &fake.url, None).await;
    let begun = Instant::now();
    let page = rig.page("/d/overview").await;
    assert!(
        page.contains("Prometheus is too slow.") && begun.elapsed().as_secs() < 12,
        "{:?}",
        begun.elapsed()
    );
    // The map is drawn from traces, which are there: their store is not blamed, and not kept waiting.
    assert!(
        !page.contains("The trace store is") && page.contains("order-api calls user-service 7 times"),
        "{page}"
    );
    rig.stop().await;
    let rig = Rig::watching(NOBODY, None).await;
    let page = rig.page("/d/order-api").await;
    assert!(page.contains("Prometheus does not answer.") && page.contains("Connection refused"), "{page}");
    rig.stop().await;
}

#[tokio::test]
async fn a_slow_prometheus_shows_values_late_and_is_asked_six_queries_at_a_time_by_all_pages_together() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    fake.with(|memory| memory.slow = Some(Duration::from_millis(400)));
    let (one, other) = tokio::join!(rig.page("/d/data-stores"), rig.page("/d/user-service"));
    for page in [one, other] {
        assert!(!page.contains("is too slow") && page.contains("data-chart="), "{page}");
    }
    let (_, most) = fake.with(|memory| memory.answering);
    // The watch of the room asks beside them, one or two at a time.
    assert!((3..=8).contains(&most), "{most} queries at once");
    rig.stop().await;
}

#[tokio::test]
async fn a_chart_has_its_data_as_json_with_limits_marks_and_dots() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    let opened = rig
        .api("/api/v1/incidents", &json!({ "title": "Orders fail", "severity": "SEV-2", "services": [] }))
        .await;
    let payload =
        json!({ "summary": "order-api 1.42", "source": "ci", "class": "release", "component": "order-api" });
    let links = json!([{ "href": "https://ci.example/7" }]);
    let change = json!({ "routing_key": "tests", "payload": payload, "links": links });
    rig.api("/v2/change/enqueue", &change).await;
    let board = committed().into_iter().find(|board| board.uid == "order-api").expect("a board");
    let panel = board.panels().find(|panel| panel.title == "Latency").expect("a panel");
    let chart = rig.json(&format!("/d/order-api/panels/{}.json?from=now-15m&to=now", panel.id)).await;
    assert_eq!((chart["unit"].as_str(), chart["series"][0]["name"].as_str()), (Some("s"), Some("p50")));
    assert_eq!(chart["series"][0]["tone"], "k-green");
    let (times, values) =
        (chart["data"][0].as_array().expect("times"), chart["data"][1].as_array().expect("values"));
    assert!(times.len() == values.len() && times.len() > 100, "{chart}");
    assert_eq!(
        (&chart["thresholds"][0]["value"], &chart["exemplars"][0]["url"]),
        (&json!(0.25), &json!(format!("/explore/traces/{TRACE}")))
    );
    let text = opened["id"].as_str().expect("an id");
    let marks = chart["marks"].as_array().expect("marks");
    assert!(marks.iter().any(|mark| mark["url"] == format!("/incidents/{text}")), "{marks:?}");
    let change = marks.iter().find(|mark| mark["url"] == "https://ci.example/7");
    let change = change.unwrap_or_else(|| panic!("no mark of the change: {marks:?}"));
    assert_eq!(change["text"], "order-api: order-api 1.42 (release, ci)");
    let table = board.panels().find(|panel| matches!(panel.kind, Kind::Table(_))).expect("a table");
    assert_eq!(rig.get(&format!("/d/order-api/panels/{}.json", table.id)).await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_or_is_wrong_is_said() {
    let fake = Fake::start().await;
    let rig = Rig::start(&fake, None).await;
    for (path, status, said) in [
        ("/d/nothing", 404, "order-api"),
        ("/d/order-api?from=later", 422, "`from` is `later`"),
        ("/d/order-api?from=now&to=now-1h", 422, "must be before"),
        ("/d/order-api?refresh=1ms", 422, "expected off or one of"),
        ("/d/order-api/panels/9999.json", 404, "panel"),
    ] {
        let shown = rig.get(path).await;
        assert_eq!(shown.status, status, "{path}: {}", shown.body);
        assert!(shown.body.contains(said), "{path}: {}", shown.body);
    }
    rig.stop().await;
}
