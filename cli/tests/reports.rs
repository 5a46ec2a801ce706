//! `lab slo` on a Prometheus of this test: past ranges, the archive of weeks, and what a gate says that cannot ask. Everything but
//! the answers is real.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and the environment of the command is part of it"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    thread,
};

use serde_json::{Value, json};

/// Answers instant queries: order-availability had 2,000 bad events in 100,000; nothing is known of the others.
struct Prometheus {
    port: u16,
}

impl Prometheus {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
        Self { port }
    }

    /// `lab` with this Prometheus, and a folder of its own.
    fn lab(&self, folder: &Path, args: &[&str]) -> Output {
        let url = format!("http://127.0.0.1:{}", self.port);
        run(folder, &[&["--prometheus", &url][..], args].concat())
    }
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--dir")
        .arg(folder)
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap()
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let asked = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let has = |words: &[&str]| words.iter().all(|word| asked.contains(word));
    let value = [
        (&["slo_info"][..], "1"),
        (&["sum_over_time", "sli_total"], "100000"),
        (&["sum_over_time", "sli_bad"], "2000"),
        (&["count_over_time", "sli_total"], "10080"),
        (&["error_budget_remaining"], "-0.5"),
        (&["ALERTS"], "45"),
    ];
    let value = value.iter().find(|(words, _)| has(words)).map(|(_, value)| *value);
    let sample =
        |value| json!({ "metric": { "slo": "order-availability", "clock": "lab" }, "value": [0, value] });
    let result: Vec<Value> = value.into_iter().map(sample).collect();
    let body =
        json!({ "status": "success", "data": { "resultType": "vector", "result": result } }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // A client that has left does not end the server.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_past_range_is_asked_at_its_end_and_reported() {
    let (prometheus, folder) = (Prometheus::start(), tempfile::tempdir().unwrap());
    let lab = |args: &[&str]| prometheus.lab(folder.path(), args);
    let report = ok(&lab(&["slo", "report", "--since", "168m", "--format", "json"]));
    let report: Value = serde_json::from_str(&report).unwrap();
    let orders = &report["slos"][0];
    assert_eq!(orders["slo"], "order-availability");
    assert_eq!(
        (&orders["sli"], &orders["bad"], &orders["paged_seconds"]),
        (&json!(0.98), &json!(2000.0), &json!(45.0))
    );
    let shown = ok(&lab(&["slo", "report", "--since", "168m"]));
    for word in ["lab clock", "missed", "99.5 % missed: 25 % owed", "no data"] {
        assert!(shown.contains(word), "no {word} in:\n{shown}");
    }
    for (args, says) in [
        (&["--since", "yesterday"][..], "such as 2h"),
        (&["--until", "1h"], "--since"),
        (&["--since", "1h", "--until", "2h"], "expected a start before its end"),
        (&["--since", "1h", "--until", "2100-01-01T00:00:00Z"], "in the future"),
        (&["--since", "1h", "--archive"], "cannot be used with"),
    ] {
        let output = lab(&[&["slo", "report"], args].concat());
        assert!(
            !output.status.success() && text(&output.stderr).contains(says),
            "{args:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn weeks_that_are_over_are_archived_once_and_show_a_trend() {
    let (prometheus, folder) = (Prometheus::start(), tempfile::tempdir().unwrap());
    let lab = |args: &[&str]| prometheus.lab(folder.path(), args);
    let nothing = run(folder.path(), &["slo", "report", "--archive"]);
    assert!(text(&nothing.stderr).contains("`lab slo archive` writes"), "{}", text(&nothing.stderr));
    let wrote = ok(&lab(&["slo", "archive"]));
    assert_eq!(wrote.matches("wrote ").count(), 13, "{wrote}");
    let again = ok(&lab(&["slo", "archive"]));
    // A week of the lab may have ended between the two.
    assert!(again.contains("nothing to write") || again.matches("wrote ").count() == 1, "{again}");
    // The archive needs no Prometheus.
    let trend = ok(&run(folder.path(), &["slo", "report", "--archive", "--weeks", "3"]));
    for word in ["3 weeks of 168m, lab clock", "98 % missed", "0 of 3", "same", "3 weeks owed, at most 25 %"]
    {
        assert!(trend.contains(word), "no {word} in:\n{trend}");
    }
    let html = ok(&run(folder.path(), &["slo", "report", "--archive", "--format", "html"]));
    assert!(html.contains("<h1>SLO trend</h1>") && html.contains("class=\"s violated\""), "{html}");
    fs::write(folder.path().join("reports/notes.json"), "{}").unwrap();
    let broken = run(folder.path(), &["slo", "report", "--archive"]);
    assert!(
        text(&broken.stderr).contains("notes.json is not an archived report"),
        "{}",
        text(&broken.stderr)
    );
}

#[test]
fn a_gate_is_open_closed_or_cannot_tell_and_says_which() {
    let (prometheus, folder) = (Prometheus::start(), tempfile::tempdir().unwrap());
    let closed = prometheus.lab(folder.path(), &["slo", "gate"]);
    assert_eq!(closed.status.code(), Some(1), "{}", text(&closed.stderr));
    assert!(text(&closed.stderr).starts_with("closed:"), "{}", text(&closed.stderr));
    let unknown = prometheus.lab(folder.path(), &["slo", "gate", "--slo", "order-speed"]);
    assert_eq!(unknown.status.code(), Some(64), "{}", text(&unknown.stderr));
    assert!(text(&unknown.stderr).contains("order-availability, "), "{}", text(&unknown.stderr));
    let service = prometheus.lab(folder.path(), &["slo", "gate", "--service", "user-service"]);
    assert_eq!(service.status.code(), Some(1), "{}", text(&service.stderr));
    assert!(text(&service.stderr).contains("user-read-latency: "), "{}", text(&service.stderr));
    let nobody = prometheus.lab(folder.path(), &["slo", "gate", "--service", "hello"]);
    assert_eq!(nobody.status.code(), Some(64), "{}", text(&nobody.stderr));
    let silent = run(folder.path(), &["--prometheus", "http://127.0.0.1:1", "slo", "gate"]);
    assert_eq!(silent.status.code(), Some(69), "{}", text(&silent.stderr));
    assert!(text(&silent.stderr).starts_with("unknown, so not open: "), "{}", text(&silent.stderr));
}

#[test]
fn specs_of_a_folder_of_ones_own_replace_the_committed_ones() {
    let (prometheus, folder) = (Prometheus::start(), tempfile::tempdir().unwrap());
    let specs = folder.path().join("specs");
    fs::create_dir(&specs).unwrap();
    let with = |args: &[&str]| {
        prometheus.lab(folder.path(), &[args, &["--specs", specs.to_str().unwrap()]].concat())
    };
    let empty = with(&["slo", "report"]);
    assert!(text(&empty.stderr).contains("has no spec"), "{}", text(&empty.stderr));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards/slos/order-availability.yaml");
    fs::copy(committed, specs.join("orders.yaml")).unwrap();
    let report: Value = serde_json::from_str(&ok(&with(&["slo", "report", "--format", "json"]))).unwrap();
    let names: Vec<_> = report["slos"].as_array().unwrap().iter().map(|line| &line["slo"]).collect();
    assert_eq!(names, ["order-availability"]);
    let past = ok(&with(&["slo", "report", "--since", "168m"]));
    assert!(past.contains("order-availability") && !past.contains("order-latency"), "{past}");
    let unknown = with(&["slo", "gate", "--slo", "order-latency"]);
    assert_eq!(unknown.status.code(), Some(64), "{}", text(&unknown.stderr));
    assert!(text(&unknown.stderr).contains("there are: order-availability\n"), "{}", text(&unknown.stderr));
}

#[test]
fn after_a_release_users_are_served_well_or_not_or_nobody_knows() {
    let (prometheus, folder) = (Prometheus::start(), tempfile::tempdir().unwrap());
    // Its subject is a time that passes: two of the lab's shortest window, of all three at once.
    let watch = |slo: &'static str| {
        let (url, folder) = (format!("http://127.0.0.1:{}", prometheus.port), folder.path().to_owned());
        thread::spawn(move || {
            run(&folder, &["--prometheus", &url, "slo", "verify", "--for", "5s", "--slo", slo])
        })
    };
    let [bad, unknown] = ["order-availability", "order-latency"].map(watch).map(|one| one.join().unwrap());
    let said = text(&bad.stderr);
    assert_eq!(bad.status.code(), Some(1), "{said}");
    assert!(said.contains("watching 1 objectives for 5 s"), "{said}");
    assert!(said.contains("not well:\n  order-availability: 2000 of 100000 events were bad, 2 %;"), "{said}");
    assert_eq!(unknown.status.code(), Some(69), "{}", text(&unknown.stderr));
    assert!(text(&unknown.stderr).contains("order-latency: 0 % of the time"), "{}", text(&unknown.stderr));
    for (args, code) in [(&["--slo", "order-speed"][..], 64), (&["--service", "order-api"], 69)] {
        let silent =
            run(folder.path(), &[&["--prometheus", "http://127.0.0.1:1", "slo", "verify"], args].concat());
        assert_eq!(silent.status.code(), Some(code), "{}", text(&silent.stderr));
    }
}
