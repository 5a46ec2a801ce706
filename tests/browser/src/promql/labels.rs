//! Which labels a query's series have: those of every target, and examples of those that a query asks for.

use promql_parser::label::{MatchOp, Matcher};

use super::{Labels, SERVICES, Series};

/// What every target has.
pub(super) fn usual(service: &str) -> Labels {
    let port = 9101 + SERVICES.iter().position(|name| *name == service).unwrap_or_default();
    let labels = [
        ("service", service.to_owned()),
        ("job", service.to_owned()),
        ("instance", format!("127.0.0.1:{port}")),
    ];
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The series that a matcher chooses; one that has what it asks for, if there is none yet.
pub(super) fn chosen(all: Vec<Labels>, matcher: &Matcher) -> Vec<Labels> {
    let has = |labels: &Labels| labels.get(&matcher.name).is_some_and(|value| matcher.is_match(value));
    let unknown = all.iter().all(|labels| !labels.contains_key(&matcher.name));
    match &matcher.op {
        MatchOp::NotEqual | MatchOp::NotRe(_) if unknown => all,
        MatchOp::NotEqual | MatchOp::NotRe(_) => all.into_iter().filter(has).collect(),
        _ if all.iter().any(has) => all.into_iter().filter(has).collect(),
        _ => {
            let value = example(&matcher.name, &matcher.value);
            let with = |mut labels: Labels| {
                labels.insert(matcher.name.clone(), value.clone());
                labels
            };
            let most = if unknown { all.len() } else { 1 };
            all.into_iter().take(most).map(with).collect()
        }
    }
}

/// A value that a pattern takes: its first alternative, if that is plain text.
fn example(name: &str, pattern: &str) -> String {
    let plain =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_/:.".contains(c));
    match pattern.split('|').find(plain) {
        Some("5..") => "503".to_owned(),
        Some(text) => text.to_owned(),
        None => values(name)[0].to_owned(),
    }
}

/// Values of labels that only some metrics have.
pub(crate) fn values(name: &str) -> &'static [&'static str] {
    match name {
        "service" => &SERVICES,
        "le" => &["0.005", "0.025", "0.1", "0.5", "+Inf"],
        "endpoint" => &["/orders", "/orders/{id}"],
        "method" => &["POST", "GET"],
        "status" => &["200", "503"],
        "outcome" => &["ok", "error"],
        "slo" => &[
            "order-availability",
            "order-correctness",
            "order-freshness",
            "order-latency",
            "user-read-availability",
            "user-read-latency",
        ],
        _ => one_of(name),
    }
}

/// The one value of a label.
fn one_of(name: &str) -> &'static [&'static str] {
    match name {
        "severity" => &["page"],
        "alertname" => &["OrderAvailabilityBudgetBurn"],
        "alertstate" => &["firing"],
        "level" => &["ERROR"],
        "database" | "datname" => &["orders"],
        "namespace" => &["lab"],
        "topic" => &["orders"],
        "partition" => &["0"],
        "group" | "deployment" | "container" | "workload" => &["order-api"],
        "pod" => &["order-api-7d4b9c6f5-x2x7k"],
        "node" => &["node-1"],
        "device" => &["sda"],
        "mountpoint" => &["/"],
        "peer" | "upstream" => &["user-service"],
        "cache_type" => &["user"],
        "query" | "query_type" | "operation" => &["insert_order"],
        "kind" | "reason" => &["timeout"],
        "http_response_status_code" => &["503"],
        "network_peer_address" => &["127.0.0.1"],
        "mode" | "state" => &["active"],
        _ => &["one"],
    }
}

/// A series with these labels only. The first one that it does not have takes each of its values.
pub(super) fn only(one: &Series, wanted: &[String]) -> Vec<Series> {
    let missing = wanted.iter().find(|name| !one.labels.contains_key(*name));
    let each = missing.map_or(&[""][..], |name| values(name));
    let with = |(at, first): (usize, &&str)| {
        let value = |name: &String| match one.labels.get(name) {
            Some(value) => value.clone(),
            None if Some(name) == missing => (*first).to_owned(),
            None => values(name)[0].to_owned(),
        };
        // A bucket holds what the smaller ones hold.
        let share = if missing.is_some_and(|name| name == "le") {
            (1.0 + at as f64) / each.len() as f64
        } else {
            1.0
        };
        let labels = wanted.iter().map(|name| (name.clone(), value(name))).collect();
        Series { labels, size: one.size * share, still: one.still }
    };
    each.iter().enumerate().map(with).collect()
}
