//! Renders a board as Grafana's classic JSON (schema 39), which Grafana 11, 12 and 13 read and migrate when they
//! load it.
//!
//! The JSON is portable: data sources are variables, so a board can be imported anywhere.

mod dashed;
mod frame;
mod panel;

use serde_json::{Map, Value, json};

use crate::{
    boards,
    model::{Board, Kind, Panel, Row},
    query::Source,
};

/// Schema version of the JSON.
const SCHEMA: u32 = 39;
/// Width of a page in Grafana's columns.
const PAGE: u32 = 24;
/// Tag that links the boards with each other.
pub const TAG: &str = "sre-lab";

/// The JSON of a board, with keys in alphabetical order whatever features `serde_json` was built with.
#[must_use]
pub fn render(board: &Board) -> String {
    let tags = [&[TAG], boards::tags(board.uid)].concat();
    let json = sorted(json!({
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": tags,
        "schemaVersion": SCHEMA,
        "version": 1,
        // The linter requires it; provisioning allows changes anyway: Settings > Make editable, then Save.
        "editable": false,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "5s",
        "time": { "from": "now-15m", "to": "now" },
        "timepicker": { "refresh_intervals": ["1s", "5s", "10s", "30s", "1m", "5m"] },
        "fiscalYearStartMonth": 0,
        "liveNow": false,
        "weekStart": "",
        "links": frame::links(),
        "annotations": frame::annotations(),
        "templating": { "list": frame::variables(board, &sources(board)) },
        "panels": panels(board),
    }));
    // Strings, numbers, arrays and maps with string keys: serializing cannot fail.
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    text
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Data sources of the board's queries and links; Prometheus first, even if it is unused: variables need it.
fn sources(board: &Board) -> Vec<Source> {
    let panels = || board.rows.iter().flat_map(|row| &row.panels);
    let asks = |source| panels().flat_map(|panel| &panel.queries).any(|query| query.source == source);
    let linked = |source: Source| {
        let columns = panels().flat_map(|panel| match &panel.kind {
            Kind::Table(columns) => columns.iter().flat_map(|column| &column.links).collect(),
            _ => Vec::new(),
        });
        let mut links = panels().flat_map(|panel| &panel.links).chain(columns);
        links.any(|link| link.url.contains(source.variable()))
    };
    let wanted = |source| source == Source::Prometheus || asks(source) || linked(source);
    Source::ALL.iter().copied().filter(|source| wanted(*source)).collect()
}

fn panels(board: &Board) -> Vec<Value> {
    let (mut out, mut id, mut y) = (Vec::new(), 0, 0);
    for row in &board.rows {
        id += 1;
        let heading = id;
        let top = y + 1;
        let mut inside = Vec::new();
        let mut flow = Flow { x: 0, y: top, bottom: top };
        for panel in &row.panels {
            id += 1;
            let (x, y) = flow.place(panel);
            let place = json!({ "x": x, "y": y, "w": panel.width, "h": panel.height });
            inside.push(panel::render(panel, id, &place));
        }
        // A folded row is one line high and contains its panels; an open one is followed by them.
        y = if row.folded { top } else { flow.bottom };
        let (carried, after) = if row.folded { (inside, Vec::new()) } else { (Vec::new(), inside) };
        out.push(heading_of(row, heading, top - 1, &carried));
        out.extend(after);
    }
    out
}

fn heading_of(row: &Row, id: u32, y: u32, panels: &[Value]) -> Value {
    json!({
        "type": "row", "id": id, "title": row.title, "collapsed": row.folded, "panels": panels,
        "gridPos": { "x": 0, "y": y, "w": PAGE, "h": 1 },
    })
}

/// Places panels from left to right, and starts a new line when the current one is full.
struct Flow {
    x: u32,
    y: u32,
    bottom: u32,
}

impl Flow {
    fn place(&mut self, panel: &Panel) -> (u32, u32) {
        if self.x + panel.width > PAGE {
            (self.x, self.y) = (0, self.bottom);
        }
        let place = (self.x, self.y);
        self.x += panel.width;
        self.bottom = self.bottom.max(self.y + panel.height);
        place
    }
}
