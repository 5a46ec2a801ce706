//! The committed boards, and a small one to change.

use std::{fs, path::Path};

use boards::{Board, Problems, range::Range, scope::Scope};
use serde_json::{Value, json};

/// Names and texts of the files of `dashboards/grafana`.
pub(crate) fn committed() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/grafana");
    let mut files: Vec<(String, String)> = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of the boards") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    files.sort();
    files
}

/// A board with one panel.
pub(crate) fn small() -> Value {
    let source = json!({ "type": "prometheus", "uid": "${prometheus_datasource}" });
    json!({
        "uid": "small", "title": "Small", "schemaVersion": 39, "timezone": "utc",
        "time": { "from": "now-15m", "to": "now" },
        "templating": { "list": [{
            "type": "datasource", "name": "prometheus_datasource", "label": "Prometheus", "query": "prometheus",
        }] },
        "panels": [{
            "id": 1, "type": "timeseries", "title": "Rate", "description": "Normal is flat.",
            "gridPos": { "x": 0, "y": 0, "w": 8, "h": 7 }, "datasource": source,
            "targets": [{ "refId": "A", "datasource": source, "expr": "rate(x[$__rate_interval])", "legendFormat": "{{job}}" }],
            "fieldConfig": { "defaults": { "unit": "reqps", "color": { "mode": "palette-classic" } }, "overrides": [] },
            "options": { "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] } },
        }],
    })
}

pub(crate) fn read(json: &Value) -> Result<Board, Problems> {
    Board::read("small.json", &json.to_string())
}

/// The last 15 minutes before a fixed time.
pub(crate) fn scope(board: &Board) -> Scope {
    let now = "2026-11-29T07:00:00Z".parse().expect("a time");
    let range = Range::read("now-15m", "now", now).expect("a range");
    Scope::new(board, range, 1.0, &[])
}
