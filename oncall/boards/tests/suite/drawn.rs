//! Panels as HTML.

use boards::{
    Board,
    data::{Labels, Series, exemplars, series, table, telling},
    draw::{Answer, Call, Drawing, Entry, Mark},
    model::{Colour, Kind},
    range,
};
use serde_json::json;

use crate::support::{committed, read, scope, small};

fn board(uid: &str) -> Board {
    let files = committed();
    let (name, text) = files.iter().find(|(name, _)| *name == format!("{uid}.json")).expect("a board");
    Board::read(name, text).expect("an accepted board")
}

/// A series over the 15 minutes of the scope.
fn curve(name: &str, labels: &[(&str, &str)], value: impl Fn(u32) -> f64) -> Series {
    let start = range::seconds("2026-11-29T06:45:00Z".parse().expect("a time"));
    let labels: Labels =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let points = (0..=180).map(|at| (start + 5.0 * f64::from(at), value(at))).collect();
    Series { name: name.to_owned(), query: 0, labels, points }
}

fn drawn(board: &Board, title: &str, answer: &Answer, marks: &[Mark]) -> String {
    let panel = board.panels().find(|panel| panel.title == title).expect("a panel");
    let scope = scope(board);
    let span = scope.range.aligned(5.0);
    let drawing = Drawing { panel, scope: &scope, step: 5.0, span, answer, marks, json: Some("/x.json") };
    drawing.draw().into_string().replace('\u{a0}', " ")
}

#[test]
fn lines_have_an_axis_limits_a_legend_marks_and_dots_and_no_inline_style() {
    let board = board("order-api");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let at = range::seconds("2026-11-29T06:50:00Z".parse().expect("a time"));
    let data = json!([{ "seriesLabels": {}, "exemplars": [{ "labels": { "trace_id": trace }, "value": "0.2", "timestamp": at }] }]);
    let answer = Answer {
        series: vec![curve("p50", &[], |_| 0.02), curve("p99", &[], |at| f64::from(at) / 1000.0)],
        exemplars: exemplars(&data),
        ..Answer::default()
    };
    let mark = Mark {
        at,
        text: "order-api started".to_owned(),
        url: Some("/incidents/INC-1".to_owned()),
        colour: Colour::Blue,
    };
    let html = drawn(&board, "Latency", &answer, &[mark]);
    for part in [
        "data-chart=\"/x.json\"",
        ">100 ms</text>",
        ">06:50</text>",
        "class=\"k-green\"",
        "class=\"k-red\"",
        "Limit: 250 ms",
        "<title>order-api started</title>",
        "href=\"/incidents/INC-1\"",
        &format!("href=\"/explore/traces/{trace}\""),
        "<span>p99</span>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("style=") && !html.contains("NaN"), "{html}");
}

#[test]
fn a_missing_sample_interrupts_the_line_and_areas_are_stacked() {
    let board = board("order-api");
    let mut gap = curve("GET /a", &[], |_| 1.0);
    gap.points.retain(|(at, _)| {
        !(range::seconds("2026-11-29T06:50:00Z".parse().expect("a time"))
            ..range::seconds("2026-11-29T06:51:00Z".parse().expect("a time")))
            .contains(at)
    });
    let answer = Answer { series: vec![gap, curve("GET /b", &[], |_| 2.0)], ..Answer::default() };
    let html = drawn(&board, "Request rate", &answer, &[]);
    let line = html.split("b-line\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a line");
    assert_eq!(line.matches('M').count(), 2, "{line}");
    // Together 3 req/s: the axis has to reach it.
    assert!(html.contains(">3 req/s</text>"), "{html}");
    let scope = scope(&board);
    let panel = board.panels().find(|panel| panel.title == "Request rate").expect("a panel");
    let drawing = Drawing {
        panel,
        scope: &scope,
        step: 5.0,
        span: scope.range.aligned(5.0),
        answer: &answer,
        marks: &[],
        json: None,
    };
    let chart = drawing.chart().expect("a chart");
    assert!(chart.stacked && chart.data.len() == 3, "{chart:?}");
    assert_eq!(chart.data[2].last().copied().flatten(), Some(2.0), "values are those of the series itself");
}

#[test]
fn numbers_have_their_words_colours_and_links() {
    let health = board("sre-operations");
    let answer = Answer {
        series: vec![curve("order-api a", &[], |_| 1.0), curve("order-api b", &[], |_| 0.0)],
        ..Answer::default()
    };
    let html = drawn(&health, "Service Health Overview", &answer, &[]);
    assert!(html.contains(">up</a>") && html.contains(">down</a>") && html.contains("k-red"), "{html}");
    let overview = board("overview");
    let budget = curve("orders", &[("slo", "order-availability")], |_| -0.2);
    let html =
        drawn(&overview, "Error budget left", &Answer { series: vec![budget], ..Answer::default() }, &[]);
    assert!(html.contains("-20 %") && html.contains("k-red"), "{html}");
    assert!(html.contains("/d/slo?var-slo=order-availability&amp;from=now-15m&amp;to=now"), "{html}");
    let hop = Answer {
        series: vec![
            curve("rate", &[], |_| 12.0),
            curve("errors", &[], |_| 0.02),
            curve("p95", &[], |_| 0.3),
        ],
        ..Answer::default()
    };
    let html = drawn(&overview, "1 Users", &hop, &[]);
    for part in ["12 ops/s", "2 %", "300 ms", "k-yellow", "k-orange"] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn a_table_has_a_line_per_label_set_in_the_order_of_the_board() {
    let slo = board("slo");
    let panel = slo.panels().find(|panel| panel.title == "Objectives").expect("a panel");
    let labels = json!({ "slo": "order-latency", "job": "order-api" });
    let answers = [0.99, 0.002, 0.8, 0.4, 90_000.0].iter().enumerate().flat_map(|(at, value)| {
        let result = json!([{ "metric": labels, "value": [1.0, value.to_string()] }]);
        series(&result, at, &panel.queries[at])
    });
    let all: Vec<Series> = answers.collect();
    let Kind::Table(changes) = &panel.kind else { panic!("not a table") };
    assert_eq!(table(&all, &panel.queries, changes).rows.len(), 1);
    let html = drawn(&slo, "Objectives", &Answer { series: all, ..Answer::default() }, &[]);
    let heads: Vec<&str> = html
        .split("<th")
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split('<').next())
        .filter(|head| !head.is_empty())
        .collect();
    assert_eq!(
        heads,
        [
            "SLO",
            "Service",
            "Objective",
            "Failed in the period",
            "Budget left",
            "Burn rate",
            "Budget lasts for"
        ]
    );
    for part in ["order-latency", "99 %", "80 %", "1.04 days", "b-coloured k-green"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let empty = drawn(&slo, "Budget alerts", &Answer::default(), &[]);
    assert!(empty.contains("Nothing here"), "{empty}");
}

#[test]
fn an_alert_leads_to_its_runbook_and_its_service() {
    let overview = board("overview");
    let labels = [
        ("alertname", "HighErrorRate"),
        ("alertstate", "firing"),
        ("job", "order-api"),
        ("severity", "page"),
    ];
    let answer = Answer { series: vec![curve("", &labels, |_| 1.0)], ..Answer::default() };
    let html = drawn(&overview, "Alerts", &answer, &[]);
    for part in
        ["runbooks/HighErrorRate", "href=\"/d/order-api?from=now-15m&amp;to=now\"", "var-job=order-api"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn histograms_states_dials_logs_and_calls_are_drawn() {
    let order = board("order-api");
    let buckets = ["0.1", "0.5", "+Inf"]
        .into_iter()
        .zip([1.0, 3.0, 3.0])
        .map(|(le, count)| curve(le, &[("le", le)], move |_| count));
    let html = drawn(
        &order,
        "Latency distribution",
        &Answer { series: buckets.collect(), ..Answer::default() },
        &[],
    );
    assert!(html.contains("b-cell h11") && html.contains(">500 ms</text>"), "{html}");
    assert!(html.contains("most are in the bucket up to 500 ms"), "{html}");
    let breaker = curve("user-service", &[], |at| if at < 100 { 0.0 } else { 2.0 });
    let html = drawn(&order, "Circuit breaker", &Answer { series: vec![breaker], ..Answer::default() }, &[]);
    assert!(html.contains(">open</text>") && html.contains("user-service: open, changes: 1"), "{html}");
    let dial = curve("success", &[], |_| 95.0);
    let html = drawn(
        &board("sandbox"),
        "Success Rate now",
        &Answer { series: vec![dial], ..Answer::default() },
        &[],
    );
    assert!(html.contains("success: 95 %") && html.contains("k-yellow"), "{html}");
    let fields = vec![("trace_id".to_owned(), "4bf9".to_owned())];
    let at = "2026-11-29T06:50:00.25Z".parse().expect("a time");
    let line = Entry { at, part: "order-api".to_owned(), level: "ERROR", message: "<b>".to_owned(), fields };
    let html = drawn(&order, "Warnings and errors", &Answer { lines: vec![line], ..Answer::default() }, &[]);
    assert!(
        html.contains("06:50:00.250") && html.contains("&lt;b&gt;") && html.contains("/explore/traces/4bf9"),
        "{html}"
    );
    let call = Call { from: "order-api".to_owned(), to: "user-service".to_owned(), count: 7 };
    let html =
        drawn(&board("overview"), "Service map", &Answer { calls: vec![call], ..Answer::default() }, &[]);
    assert!(html.contains("order-api calls user-service: 7"), "{html}");
}

#[test]
fn a_panel_without_data_says_so() {
    let order = board("order-api");
    for title in ["Latency", "Latency distribution", "Circuit breaker", "Warnings and errors"] {
        let html = drawn(&order, title, &Answer::default(), &[]);
        assert!(html.contains("b-nothing"), "{title}: {html}");
    }
    assert!(drawn(&read(&small()).expect("accepted"), "Rate", &Answer::default(), &[]).contains("No data"));
}

#[test]
fn of_many_exemplars_the_highest_and_lowest_of_each_part_of_the_time_stay() {
    let at = |second: u32| json!({ "labels": { "trace_id": format!("t{second}") }, "value": f64::from(second).to_string(), "timestamp": second });
    let data = json!([{ "exemplars": (0..100).map(at).collect::<Vec<_>>() }, { "exemplars": [{ "labels": {}, "value": "1", "timestamp": 1 }] }]);
    let kept = telling(exemplars(&data), (0.0, 100.0), 10);
    let traces: Vec<&str> = kept.iter().take(4).map(|each| each.trace.as_str()).collect();
    assert_eq!((kept.len(), traces), (20, vec!["t0", "t9", "t10", "t19"]));
}
