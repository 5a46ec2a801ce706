//! A dashboard parsed from its JSON, with the parts that the checks need.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// The whole JSON.
    pub json: Value,
    /// All panels, including those of folded rows, without row headings.
    pub panels: Vec<Panel>,
}

/// A panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its JSON.
    pub json: Value,
    /// Its title.
    pub title: String,
    /// Grafana's panel type.
    pub kind: String,
    /// Its queries.
    pub targets: Vec<Target>,
}

/// A query.
#[derive(Debug, Clone)]
pub struct Target {
    /// `prometheus`, `loki`, `jaeger`.
    pub source: String,
    /// The query; empty if the data source has none.
    pub expr: String,
    /// The legend.
    pub legend: String,
}

/// A LogQL query.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuery {
    /// The query, with its variables unreplaced.
    pub expr: String,
    /// What its panel can draw; `None` if both will do.
    pub draws: Option<Answer>,
}

/// The type of a LogQL query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// Log lines.
    Lines,
    /// Numbers over time.
    Numbers,
}

impl Dashboard {
    /// Parses the JSON of a dashboard.
    ///
    /// # Errors
    /// When it is not JSON, or has no list of panels.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let top = json["panels"].as_array().ok_or("no list `panels`")?;
        let panels =
            top.iter().flat_map(with_inner).filter(|panel| panel["type"] != "row").map(panel).collect();
        Ok(Self { json, panels })
    }

    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.json["uid"].as_str().unwrap_or_default()
    }

    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = &Value> {
        self.json["templating"]["list"].as_array().into_iter().flatten()
    }

    /// The place of every panel and row heading, including those in folded rows.
    #[must_use]
    pub fn places(&self) -> Vec<&Value> {
        self.json["panels"].as_array().into_iter().flatten().flat_map(with_inner).collect()
    }

    /// Every address in the JSON: of links, data links and texts.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.json, "url", &mut found);
        found.retain(|url| !url.is_empty());
        found
    }

    /// Every LogQL query: of panels, and of links to Explore.
    #[must_use]
    pub fn log_queries(&self) -> Vec<LogQuery> {
        let mut queries = Vec::new();
        for panel in &self.panels {
            let draws = match panel.kind.as_str() {
                "logs" => Some(Answer::Lines),
                "table" => None,
                _ => Some(Answer::Numbers),
            };
            let targets = panel.targets.iter().filter(|target| target.source == "loki");
            queries.extend(targets.map(|target| LogQuery { expr: target.expr.clone(), draws }));
        }
        for url in self.addresses() {
            let query = pane(&url).map(|pane| pane["queries"][0].clone()).unwrap_or_default();
            if query["datasource"]["type"] == "loki" {
                let expr = query["expr"].as_str().unwrap_or_default().to_owned();
                queries.push(LogQuery { expr, draws: None });
            }
        }
        queries
    }

    /// The queries of annotations.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        let list = self.json["annotations"]["list"].as_array().into_iter().flatten();
        list.filter_map(|annotation| annotation["expr"].as_str())
    }
}

/// The LogQL query that a link to Explore opens; `None` for any other link.
#[must_use]
pub fn pane(url: &str) -> Option<Value> {
    let (_, panes) = url.split_once("panes=")?;
    let panes = percent_decode_str(panes).decode_utf8().ok()?;
    let panes: Value = serde_json::from_str(&panes).ok()?;
    panes.as_object()?.values().next().cloned()
}

fn with_inner(panel: &Value) -> Vec<&Value> {
    let inner = panel["panels"].as_array().into_iter().flatten();
    std::iter::once(panel).chain(inner).collect()
}

fn panel(json: &Value) -> Panel {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = json["targets"].as_array().into_iter().flatten().map(|target| Target {
        source: word(&target["datasource"]["type"]),
        expr: word(&target["expr"]),
        legend: word(&target["legendFormat"]),
    });
    Panel {
        title: word(&json["title"]),
        kind: word(&json["type"]),
        targets: targets.collect(),
        json: json.clone(),
    }
}

fn collect(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}
