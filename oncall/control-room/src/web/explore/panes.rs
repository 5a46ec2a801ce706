//! Links to Grafana's Explore, as the boards have them, lead to the pages here.

use boards::{logql, range::encode};
use serde_json::Value;

use crate::error::Error;

/// The page for the first query of `panes`, Grafana's JSON.
///
/// # Errors
/// When it is no such JSON, or asks for what these pages do not show.
pub(super) fn page(panes: &str) -> Result<String, Error> {
    let wrong = |what: &str| {
        Error::field("panes", format!("{what}; expected a link that Grafana's Explore understands"))
    };
    let json: Value = serde_json::from_str(panes).map_err(|error| wrong(&error.to_string()))?;
    let pane =
        json.as_object().and_then(|panes| panes.values().next()).ok_or_else(|| wrong("there is no pane"))?;
    let query = &pane["queries"][0];
    let text = |name: &str| query[name].as_str().unwrap_or_default();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let path = match query["datasource"]["type"].as_str().or_else(|| pane["datasource"].as_str()) {
        Some("prometheus") => {
            pairs.push(("query", text("expr").to_owned()));
            "/explore".to_owned()
        }
        Some("loki") => {
            let wanted =
                logql::wanted(text("expr")).ok_or_else(|| wrong("this log query is not understood here"))?;
            pairs.extend(lines(wanted));
            "/explore/logs".to_owned()
        }
        Some("jaeger") if text("queryType") == "search" => {
            pairs.extend([("service", text("service").to_owned()), ("min", text("minDuration").to_owned())]);
            pairs.extend(query["limit"].as_u64().map(|limit| ("limit", limit.to_string())));
            "/explore/traces".to_owned()
        }
        Some("jaeger") => format!("/explore/traces/{}", encode(text("query"))),
        _ => return Err(wrong("its data source is not known here")),
    };
    for end in ["from", "to"] {
        pairs.extend(pane["range"][end].as_str().map(|value| (end, value.to_owned())));
    }
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Ok(format!("{path}?{}", pairs.join("&")))
}

fn lines(wanted: logql::Wanted) -> Vec<(&'static str, String)> {
    let rank = |level: &String| observe::logs::LEVELS.iter().position(|known| known == level);
    let level = wanted.levels.into_iter().max_by_key(rank);
    let all = [
        ("service", wanted.services.into_iter().next()),
        ("level", level),
        ("text", wanted.texts.into_iter().next()),
        ("trace", wanted.trace),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pane(kind: &str, query: &str) -> String {
        format!(
            r#"{{"lab":{{"datasource":"{kind}","queries":[{{{query},"datasource":{{"type":"{kind}","uid":"{kind}"}}}}],"range":{{"from":"now-15m","to":"now"}}}}}}"#
        )
    }

    #[test]
    fn the_links_of_the_boards_lead_to_the_same_question_here() {
        for (kind, query, url) in [
            (
                "loki",
                r#""expr":"{service=\"order-api\"} | json | level=~\"WARN|ERROR\"""#,
                "/explore/logs?service=order-api&level=WARN&from=now-15m&to=now",
            ),
            (
                "jaeger",
                r#""queryType":"search","service":"order-api","minDuration":"250ms","limit":20"#,
                "/explore/traces?service=order-api&min=250ms&limit=20&from=now-15m&to=now",
            ),
            ("jaeger", r#""query":"4bf9""#, "/explore/traces/4bf9?from=now-15m&to=now"),
            ("prometheus", r#""expr":"up == 0""#, "/explore?query=up%20%3D%3D%200&from=now-15m&to=now"),
        ] {
            assert_eq!(page(&pane(kind, query)).unwrap(), url);
        }
    }

    #[test]
    fn every_explore_link_of_the_committed_boards_is_understood() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dashboards/grafana");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let board = boards::Board::read("x", &std::fs::read_to_string(path).unwrap()).unwrap();
            for link in board.panels().flat_map(|panel| &panel.field.links) {
                let Some((_, panes)) = link.url.split_once("&panes=") else { continue };
                let panes =
                    panes.replace("${loki_datasource}", "loki").replace("${jaeger_datasource}", "jaeger");
                let panes = percent_encoding::percent_decode_str(&panes).decode_utf8().unwrap();
                page(&panes).unwrap_or_else(|error| panic!("{}: {error}", link.title));
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn what_is_no_such_link_is_refused() {
        for panes in ["", "[]", "{}", r#"{"a":{"datasource":"mysql","queries":[]}}"#] {
            assert!(page(panes).unwrap_err().to_string().starts_with("panes: "), "{panes}");
        }
    }
}
