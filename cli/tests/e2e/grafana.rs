//! The dashboards in a real Grafana: each is opened in a headless browser and photographed, and no panel may show an
//! error or stay empty. Runs where `grafana` and Chromium are on PATH; `lab up` then starts Grafana. What Grafana
//! would draw is judged everywhere by `tools/grafana-check`. Without Grafana, its port must lead to the control room's boards.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use dashgen::check::read::Dashboard;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    dashboards::{boards, excused},
    lab::{Lab, eventually},
};

/// Names of the browser.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Time for a dashboard to be complete: a browser starts and loads Grafana in a few seconds, a panel may have to wait for
/// its data.
const DRAWN: Duration = Duration::from_secs(120);
/// Longest run of the browser: it ends by itself, unless it hangs.
const RUN: Duration = Duration::from_secs(60);
/// The browser's clock in milliseconds: it stops while a request is on its way, so this is time for scripts alone.
const SCRIPTS: &str = "--virtual-time-budget=15000";
/// What Grafana writes before the title of a panel (`@grafana/e2e-selectors`).
const PANEL: &str = "data-testid=\"data-testid Panel header ";

/// The checks, on a lab under load.
pub(crate) async fn draws_every_panel(lab: &Lab) {
    if ["grafana", "grafana-server"].iter().all(|name| which::which(name).is_err()) {
        leads_to_the_control_room(lab).await;
        eprintln!("SKIPPED: the dashboards in Grafana (grafana is not on PATH)");
        return;
    }
    let port = lab.port("grafana", "grafana");
    let Some(program) = BROWSERS.iter().find_map(|name| which::which(name).ok()) else {
        eprintln!("SKIPPED: the dashboards in Grafana (none of {} is on PATH)", BROWSERS.join(", "));
        return;
    };
    let profile = tempfile::Builder::new().prefix("browser-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
    let browser = Browser { program, profile: profile.expect("a folder") };
    let grafana = format!("http://127.0.0.1:{port}");
    let logs = lab.port_if_any("loki").is_some();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grafana");
    fs::create_dir_all(&pictures).expect("a folder");
    for board in boards() {
        let (url, height) = open(&grafana, &board).await;
        let wanted = wanted(&board, logs);
        eventually(DRAWN, || async {
            let page = browser.run(&[SCRIPTS, "--dump-dom"], height, &url).await?;
            let wrong = troubles(&String::from_utf8_lossy(&page), &wanted);
            if wrong.is_empty() { Ok(()) } else { Err(format!("{}: {}", board.uid(), wrong.join("; "))) }
        })
        .await;
        let picture = pictures.join(format!("{}.png", board.uid()));
        let to = format!("--screenshot={}", picture.display());
        browser.run(&[SCRIPTS, &to], height, &url).await.expect("a picture");
        let png = fs::read(&picture).expect("a picture");
        assert!(png.starts_with(b"\x89PNG"), "{} is not a picture", picture.display());
    }
    println!("pictures of the dashboards: {}", pictures.display());
}

/// Without Grafana, its port is the control room's, which draws the same boards.
async fn leads_to_the_control_room(lab: &Lab) {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let grafana = format!("http://localhost:{}", lab.port("control-room", "grafana"));
    let room = format!("http://localhost:{}", lab.port("control-room", "control-room"));
    for (path, to) in [("/", "/dashboards"), ("/d/overview", "/d/overview")] {
        let answer = client.get(format!("{grafana}{path}")).send().await.expect("an answer");
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        assert_eq!(
            (answer.status().as_u16(), location),
            (302, Some(format!("{room}{to}").as_str())),
            "{path}"
        );
    }
}

struct Browser {
    program: PathBuf,
    profile: tempfile::TempDir,
}

impl Browser {
    /// What the browser prints about a page that is shown at this height.
    async fn run(&self, args: &[&str], height: u64, url: &str) -> Result<Vec<u8>, String> {
        let mut command = Command::new(&self.program);
        command.args(["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
        if rustix::process::geteuid().is_root() {
            // Chromium refuses to run as root with its sandbox. It opens pages of this lab only.
            command.arg("--no-sandbox");
        }
        command.arg(format!("--user-data-dir={}", self.profile.path().display()));
        command.arg(format!("--window-size=1600,{height}")).args(args).arg(url).kill_on_drop(true);
        let output = tokio::time::timeout(RUN, command.output()).await;
        let output = output.map_err(|_| "the browser hangs".to_owned())?;
        let output = output.map_err(|error| format!("{}: {error}", self.program.display()))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(format!("the browser: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
        }
    }
}

/// Stores a copy of the dashboard with its rows unfolded, because Grafana draws only what is in view; returns its URL and its
/// height in pixels.
async fn open(grafana: &str, board: &Dashboard) -> (String, u64) {
    let (copy, rows) = unfolded(board);
    let body = json!({ "dashboard": copy, "overwrite": true });
    let url = format!("{grafana}/api/dashboards/db");
    let answer = reqwest::Client::new().post(&url).json(&body).send().await.expect("Grafana answers");
    let status = answer.status();
    let said: Value = answer.json().await.expect("JSON");
    assert!(status.is_success(), "{}: Grafana refuses it: {status} {said}", board.uid());
    // A row is 30 pixels high, with 8 between two; the variables and the menu are above.
    (format!("{grafana}{}?kiosk&from=now-5m&to=now", said["url"].as_str().expect("a path")), rows * 38 + 200)
}

/// The dashboard under another name, its rows unfolded and the rest moved down; and the number of its lines.
fn unfolded(board: &Dashboard) -> (Value, u64) {
    let mut copy = board.json.clone();
    let (mut panels, mut down, mut rows) = (Vec::new(), 0, 0);
    for panel in board.json["panels"].as_array().into_iter().flatten() {
        let inner = panel["panels"].as_array().cloned().unwrap_or_default();
        let mut heading = panel.clone();
        if panel["type"] == "row" {
            heading["collapsed"] = json!(false);
            heading["panels"] = json!([]);
        }
        panels.push(moved(heading, down));
        let heights = inner.iter().map(|each| end(each).saturating_sub(end(panel)));
        let more = heights.max().unwrap_or(0);
        panels.extend(inner.iter().map(|each| moved(each.clone(), down)));
        down += more;
        rows = panels.iter().map(end).max().unwrap_or(rows);
    }
    copy["panels"] = json!(panels);
    copy["uid"] = json!(format!("{}-open", board.uid()));
    copy["title"] = json!(format!("{} (unfolded)", board.json["title"].as_str().unwrap_or_default()));
    copy["refresh"] = json!("");
    (copy, rows)
}

/// The first line below a panel.
fn end(panel: &Value) -> u64 {
    let side = |name: &str| panel["gridPos"][name].as_u64().unwrap_or_default();
    side("y") + side("h")
}

fn moved(mut panel: Value, down: u64) -> Value {
    let y = panel["gridPos"]["y"].as_u64().unwrap_or_default();
    panel["gridPos"]["y"] = json!(y + down);
    panel
}

/// Each panel that must be drawn, and whether it must have data.
fn wanted(board: &Dashboard, logs: bool) -> Vec<(String, bool)> {
    let filled = |kind: &str, title: &str| (kind != "logs" || logs) && !excused(board.uid(), title);
    board.panels.iter().map(|panel| (panel.title.clone(), filled(&panel.kind, &panel.title))).collect()
}

/// What is wrong with a page of Grafana.
fn troubles(page: &str, wanted: &[(String, bool)]) -> Vec<String> {
    let shown: Vec<_> = page.split(PANEL).skip(1).filter_map(|part| part.split_once('"')).collect();
    let mut wrong = Vec::new();
    for (title, filled) in wanted {
        let mut parts =
            shown.iter().filter(|(shown, _)| plain(shown) == *title).map(|(_, part)| part).peekable();
        if parts.peek().is_none() {
            wrong.push(format!("`{title}` is not drawn"));
        }
        for part in parts.filter(|_| *filled) {
            if part.contains("data-testid Panel status error") {
                wrong.push(format!("`{title}` shows an error"));
            } else if part.contains(">No data<") || part.contains("data-testid Panel data error message") {
                wrong.push(format!("`{title}` has no data"));
            }
        }
    }
    // Panels of the same title are judged together.
    wrong.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

fn plain(title: &str) -> String {
    let escapes = [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&amp;", "&")];
    escapes.iter().fold(title.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[test]
fn an_empty_a_broken_and_a_missing_panel_are_found() {
    let page = |title: &str, inside: &str| format!("<section {PANEL}{title}\"><div>{inside}</div></section>");
    let html = [
        page("Rate &amp; errors", "<canvas></canvas>"),
        page("Empty", "No data"),
        page("Broken", "<button data-testid=\"data-testid Panel status error\"></button>"),
        page("Alerts", "No data"),
    ]
    .concat();
    let titles =
        [("Rate & errors", true), ("Empty", true), ("Broken", true), ("Alerts", false), ("Gone", true)];
    let wanted = titles.map(|(title, filled)| (title.to_owned(), filled));
    assert_eq!(
        troubles(&html, &wanted),
        ["`Broken` shows an error", "`Empty` has no data", "`Gone` is not drawn"]
    );
}

#[test]
fn folded_rows_are_unfolded_and_nothing_overlaps() {
    for board in boards() {
        let (copy, rows) = unfolded(&board);
        let open = Dashboard::parse(&copy.to_string()).expect("a dashboard");
        assert_eq!(open.panels.len(), board.panels.len(), "{}", board.uid());
        let mut cells = BTreeSet::new();
        for panel in open.places() {
            let side = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
            assert!(end(panel) <= rows, "{}: {}", board.uid(), panel["title"]);
            let columns = side("x")..side("x") + side("w");
            for cell in columns.flat_map(|x| (side("y")..end(panel)).map(move |y| (x, y))) {
                assert!(cells.insert(cell), "{}: {} lies on another", board.uid(), panel["title"]);
            }
        }
    }
}
