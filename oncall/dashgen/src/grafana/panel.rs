//! One panel as JSON: its queries, options by kind, units, colours and links.

use serde_json::{Value, json};

use super::dashed;
use crate::{
    link::Link,
    model::{Column, Kind, Panel, Special, Step},
    query::{Query, Source},
};

/// From this width on, the legend fits beside the lines.
const WIDE: u32 = 12;

pub(super) fn render(panel: &Panel, id: u32, place: &Value) -> Value {
    let mut json = json!({
        "id": id, "type": kind(panel), "title": panel.title, "description": dashed::description(panel),
        "gridPos": place, "options": options(panel),
    });
    if let Kind::Text(_) = panel.kind {
        return json;
    }
    let source = panel.queries.first().map_or(Source::Prometheus, |query| query.source);
    json["datasource"] = data_source(source);
    let targets = panel.queries.iter().enumerate().map(|(at, query)| target(panel, query, at));
    json["targets"] = targets.collect();
    json["fieldConfig"] = json!({ "defaults": defaults(panel), "overrides": overrides(panel) });
    if let Kind::Table(columns) = &panel.kind {
        json["transformations"] = columns_in_order(columns);
    }
    json
}

const fn kind(panel: &Panel) -> &'static str {
    match panel.kind {
        Kind::Lines | Kind::Stack => "timeseries",
        Kind::Stat => "stat",
        Kind::Gauge => "gauge",
        Kind::Heatmap => "heatmap",
        Kind::Table(_) => "table",
        Kind::States => "state-timeline",
        Kind::Logs => "logs",
        Kind::NodeGraph => "nodeGraph",
        Kind::Text(_) => "text",
    }
}

fn data_source(source: Source) -> Value {
    json!({ "type": source.id(), "uid": source.variable() })
}

fn target(panel: &Panel, query: &Query, at: usize) -> Value {
    let reference = char::from(b'A' + u8::try_from(at).unwrap_or(25)).to_string();
    let mut json = json!({ "refId": reference, "datasource": data_source(query.source) });
    match query.source {
        Source::Jaeger => json["queryType"] = json!("dependencyGraph"),
        Source::Loki => {
            let instant = query.instant || matches!(panel.kind, Kind::Table(_));
            json["expr"] = json!(query.expr);
            json["queryType"] = json!(if instant { "instant" } else { "range" });
            if matches!(panel.kind, Kind::Logs) {
                json["maxLines"] = json!(200);
            } else {
                json["legendFormat"] = json!(query.legend);
            }
        }
        Source::Prometheus => {
            let table = matches!(panel.kind, Kind::Table(_));
            let format = if query.buckets {
                "heatmap"
            } else if table {
                "table"
            } else {
                "time_series"
            };
            json["expr"] = json!(query.expr);
            json["legendFormat"] = json!(if query.legend.is_empty() { "__auto" } else { &query.legend });
            json["format"] = json!(format);
            json["editorMode"] = json!("code");
            json["exemplar"] = json!(query.exemplars);
            json["instant"] = json!(query.instant || table);
            json["range"] = json!(!(query.instant || table));
            if let Some(step) = query.step {
                json["interval"] = json!(step);
            }
        }
    }
    json
}

/// Grafana lets the first step begin at minus infinity, whatever its value, and draws no line there: a graph that has
/// only limits gets an invisible first step. Any other panel has to say which colour is the first.
fn steps(panel: &Panel, steps: &[Step]) -> Value {
    let base: &[Step] = match steps {
        [] => &[(None, "green")],
        [(Some(_), _), ..] if draws_lines(panel) => &[(None, "transparent")],
        _ => &[],
    };
    let all: Vec<_> =
        base.iter().chain(steps).map(|(value, colour)| json!({ "value": value, "color": colour })).collect();
    json!({ "mode": "absolute", "steps": all })
}

const fn draws_lines(panel: &Panel) -> bool {
    matches!(panel.kind, Kind::Lines | Kind::Stack)
}

/// Whether a value has the colour of its step or word.
const fn colours_by_value(panel: &Panel) -> bool {
    !draws_lines(panel) && (!panel.steps.is_empty() || !panel.words.is_empty())
}

fn defaults(panel: &Panel) -> Value {
    let colour = if draws_lines(panel) {
        json!({ "mode": "palette-classic" })
    } else if colours_by_value(panel) {
        json!({ "mode": "thresholds" })
    } else {
        json!({ "mode": "fixed", "fixedColor": "blue" })
    };
    let mut json = json!({
        "unit": panel.unit.id(), "color": colour, "thresholds": steps(panel, &panel.steps),
        "links": links(&panel.links), "mappings": mappings(panel), "custom": custom(panel),
    });
    for (name, bound) in [("min", panel.range.0), ("max", panel.range.1)] {
        if let Some(bound) = bound {
            json[name] = json!(bound);
        }
    }
    json
}

fn mappings(panel: &Panel) -> Value {
    let word = |(at, (value, text, colour)): (usize, &(f64, &str, &str))| {
        (value.to_string(), json!({ "text": text, "color": colour, "index": at }))
    };
    let words: serde_json::Map<_, _> = panel.words.iter().enumerate().map(word).collect();
    if words.is_empty() { json!([]) } else { json!([{ "type": "value", "options": words }]) }
}

fn custom(panel: &Panel) -> Value {
    let lined = if panel.steps.is_empty() { "off" } else { "dashed" };
    match panel.kind {
        Kind::Lines | Kind::Stack => {
            let stack = matches!(panel.kind, Kind::Stack);
            json!({
                "drawStyle": "line", "lineWidth": 1, "fillOpacity": if stack { 40 } else { 10 },
                "gradientMode": if stack { "none" } else { "opacity" }, "showPoints": "never", "spanNulls": false,
                "lineInterpolation": "linear", "axisPlacement": "auto", "axisLabel": "",
                "stacking": { "mode": if stack { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": lined }, "scaleDistribution": { "type": "linear" },
                "hideFrom": { "legend": false, "tooltip": false, "viz": false },
            })
        }
        Kind::Table(_) => json!({ "align": "auto", "cellOptions": { "type": "auto" }, "inspect": false }),
        Kind::States => json!({ "fillOpacity": 70, "lineWidth": 0 }),
        Kind::Heatmap => json!({ "hideFrom": { "legend": false, "tooltip": false, "viz": false } }),
        _ => json!({}),
    }
}

fn links(links: &[Link]) -> Value {
    let link = |link: &Link| json!({ "title": link.title, "url": link.url, "targetBlank": false });
    links.iter().map(link).collect()
}

fn overrides(panel: &Panel) -> Vec<Value> {
    let mut all: Vec<_> = panel.specials.iter().map(|each| special(panel, each)).collect();
    if let Kind::Table(columns) = &panel.kind {
        all.extend(columns.iter().map(|each| column(panel, each)));
    }
    all
}

/// Only what differs from the panel's own settings: an override that changes nothing hides a mistake.
fn special(panel: &Panel, special: &Special) -> Value {
    let mut properties = Vec::new();
    if let Some(colour) = special.colour {
        properties.push(json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } }));
    }
    if let Some(unit) = special.unit.filter(|unit| *unit != panel.unit) {
        properties.push(json!({ "id": "unit", "value": unit.id() }));
    }
    if !special.steps.is_empty() {
        properties.push(json!({ "id": "thresholds", "value": steps(panel, &special.steps) }));
        if !colours_by_value(panel) {
            properties.push(json!({ "id": "color", "value": { "mode": "thresholds" } }));
        }
    }
    let matcher = if special.name.starts_with('/') { "byRegexp" } else { "byName" };
    json!({ "matcher": { "id": matcher, "options": special.name }, "properties": properties })
}

fn column(panel: &Panel, column: &Column) -> Value {
    let mut properties = vec![json!({ "id": "displayName", "value": column.title })];
    if let Some(unit) = column.unit.filter(|unit| *unit != panel.unit) {
        properties.push(json!({ "id": "unit", "value": unit.id() }));
    }
    if !column.steps.is_empty() {
        properties.push(json!({ "id": "thresholds", "value": steps(panel, &column.steps) }));
        if !colours_by_value(panel) {
            properties.push(json!({ "id": "color", "value": { "mode": "thresholds" } }));
        }
        properties.push(json!({ "id": "custom.cellOptions", "value": { "type": "color-text" } }));
    }
    if !column.links.is_empty() {
        properties.push(json!({ "id": "links", "value": links(&column.links) }));
    }
    json!({ "matcher": { "id": "byName", "options": column.field }, "properties": properties })
}

/// One line per label set, its values side by side in the order of the columns.
fn columns_in_order(columns: &[Column]) -> Value {
    let named = |name: &str| columns.iter().any(|column| column.field == name);
    let hidden: serde_json::Map<_, _> = ["Time", "Value"]
        .into_iter()
        .filter(|name| !named(name))
        .map(|name| (name.to_owned(), json!(true)))
        .collect();
    let order: serde_json::Map<_, _> =
        columns.iter().enumerate().map(|(at, column)| (column.field.to_owned(), json!(at))).collect();
    json!([
        { "id": "merge", "options": {} },
        { "id": "organize", "options": { "excludeByName": hidden, "indexByName": order, "renameByName": {} } },
    ])
}

fn options(panel: &Panel) -> Value {
    let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    let tooltip = json!({ "mode": "multi", "sort": "desc" });
    let wide = panel.width >= WIDE;
    match &panel.kind {
        Kind::Lines | Kind::Stack => json!({
            "tooltip": tooltip,
            "legend": {
                "showLegend": true, "displayMode": if wide { "table" } else { "list" },
                "placement": if wide { "right" } else { "bottom" },
                "calcs": if wide { json!(["lastNotNull", "max"]) } else { json!([]) },
            },
        }),
        Kind::Stat => json!({
            "colorMode": if panel.steps.is_empty() && panel.words.is_empty() { "none" } else { "value" },
            "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "reduceOptions": last,
            "textMode": if panel.queries.len() > 1 { "value_and_name" } else { "auto" }, "wideLayout": true,
        }),
        Kind::Gauge => json!({
            "reduceOptions": last, "showThresholdLabels": false, "showThresholdMarkers": true, "orientation": "auto",
        }),
        Kind::Heatmap => json!({
            "calculate": false, "cellGap": 1, "yAxis": { "unit": panel.unit.id(), "axisPlacement": "left" },
            "color": { "mode": "scheme", "scheme": "Oranges", "exponent": 0.5, "steps": 64, "fill": "dark-orange" },
            "exemplars": { "color": "rgba(255,0,255,0.7)" }, "legend": { "show": true },
            "tooltip": { "mode": "single", "yHistogram": true, "showColorScale": false },
            "filterValues": { "le": 1e-9 }, "rowsFrame": { "layout": "auto" },
        }),
        Kind::Table(_) => json!({ "showHeader": true, "cellHeight": "sm" }),
        Kind::States => json!({
            "alignValue": "left", "mergeValues": true, "rowHeight": 0.9, "showValue": "auto", "tooltip": tooltip,
            "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom" },
        }),
        Kind::Logs => json!({
            "dedupStrategy": "none", "enableLogDetails": true, "prettifyLogMessage": false, "showCommonLabels": false,
            "showLabels": false, "showTime": true, "sortOrder": "Descending", "wrapLogMessage": true,
        }),
        Kind::NodeGraph => json!({}),
        Kind::Text(content) => json!({ "mode": "markdown", "content": content }),
    }
}
