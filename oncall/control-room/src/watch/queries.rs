//! PromQL: all numbers of a look in one query, told apart by a label, so that a look costs one request.

use std::collections::BTreeMap;

use observe::prometheus::Sample;
use slo::{Clock, Window};

/// The label that tells the numbers apart.
const WHAT: &str = "what";

/// What fails by design counts nowhere (docs/adr/0005).
const HTTP: &str = r#"endpoint!="/risky", service!="control-room""#;

/// One series of each instance that serves requests: cheaper to look for than all series of its requests.
const SERVERS: &str = "http_requests_in_flight";

/// Names of what is measured.
pub(super) mod what {
    pub(crate) const RATE: &str = "rate";
    pub(crate) const BAD: &str = "bad";
    pub(crate) const P95: &str = "p95";
    pub(crate) const LAG: &str = "lag";
    pub(crate) const STARTED: &str = "started";
    pub(crate) const RESTARTS: &str = "restarts";
    pub(crate) const REMAINING: &str = "remaining";
    pub(crate) const BURN: &str = "burn";
    pub(crate) const SLI: &str = "sli";
}

/// Expressions with names, as one query.
pub(super) fn together(parts: &[(&str, String)]) -> String {
    let named =
        |(name, expr): &(&str, String)| format!("label_replace({expr}, \"{WHAT}\", \"{name}\", \"\", \"\")");
    parts.iter().map(named).collect::<Vec<_>>().join("\nor\n")
}

/// The window of rates: enough scrapes for a number, short enough to be news.
pub(crate) const fn window(clock: Clock) -> Window {
    match clock {
        Clock::Lab => Window::seconds(15),
        Clock::Production => Window::minutes(1),
    }
}

/// Everything that a look needs; the restarts of each instance only if they are asked for, because they are in every
/// scrape of a quarter of an hour.
pub(super) fn look(clock: Clock, restarts: bool) -> String {
    let base = clock.base();
    let processes = r#"process_start_time_seconds{job!="application-metrics"}"#;
    let mut parts = vec![
        (what::RATE, rate(clock)),
        (what::BAD, bad(clock)),
        (what::P95, p95(clock)),
        (what::LAG, "sum by (service) (kafka_consumer_lag)".to_owned()),
        (what::STARTED, format!("max by (service, instance) ({processes})")),
        (what::REMAINING, "max by (slo) (slo:error_budget_remaining:ratio)".to_owned()),
        (what::BURN, "max by (slo) (slo:current_burn_rate:ratio)".to_owned()),
        (what::SLI, format!("max by (slo) (slo:sli_error:ratio_rate{base})")),
    ];
    if restarts {
        parts.push((what::RESTARTS, format!("sum by (service, instance) (changes({processes}[15m]))")));
    }
    together(&parts)
}

/// The curves of the map.
pub(super) fn sparks(clock: Clock) -> String {
    together(&[(what::RATE, rate(clock)), (what::BAD, bad(clock))])
}

/// A sum of rates per service: requests; of a service without any, messages; of the load generator, its requests.
/// Stores and the broker are measured by their clients.
fn per_second(metrics: [&str; 6], clock: Clock) -> String {
    let window = window(clock);
    let [http, messages, load, redis, postgres, kafka] = metrics;
    let sum = |series: &str| format!("sum by (service) (rate({series}[{window}]))");
    let store = |name: &str, series: &str| {
        format!("label_replace(sum(rate({series}[{window}])), \"service\", \"{name}\", \"\", \"\")")
    };
    [
        sum(http),
        format!("({} unless on (service) {SERVERS})", sum(messages)),
        sum(load),
        store("redis", redis),
        store("postgres", postgres),
        store("kafka", kafka),
    ]
    .join(" or ")
}

fn rate(clock: Clock) -> String {
    let http = format!("http_requests_total{{{HTTP}}}");
    let metrics = [
        http.as_str(),
        "kafka_consumed_total",
        "load_requests_total",
        "cache_operation_duration_seconds_count",
        "database_query_duration_seconds_count",
        "kafka_published_total",
    ];
    grouped(&per_second(metrics, clock))
}

fn bad(clock: Clock) -> String {
    let http = format!("http_requests_total{{{HTTP}, status=~\"5..\"}}");
    let metrics = [
        http.as_str(),
        r#"kafka_consumed_total{outcome="dead_letter"}"#,
        r#"load_requests_total{outcome!~"ok|client_error"}"#,
        "cache_errors_total",
        r#"database_errors_total{kind!~"conflict|duplicate"}"#,
        r#"kafka_published_total{outcome="error"}"#,
    ];
    grouped(&per_second(metrics, clock))
}

fn p95(clock: Clock) -> String {
    let window = window(clock);
    let of = |by: &str, series: &str| {
        format!("histogram_quantile(0.95, sum by ({by}le) (rate({series}[{window}])))")
    };
    let store = |name: &str, metric: &str| {
        format!("label_replace({}, \"service\", \"{name}\", \"\", \"\")", of("", &format!("{metric}_bucket")))
    };
    let http = of("service, ", &format!("http_request_duration_seconds_bucket{{{HTTP}}}"));
    let messages = of("service, ", "kafka_process_duration_seconds_bucket");
    grouped(
        &[
            http,
            format!("({messages} unless on (service) {SERVERS})"),
            of("service, ", "load_request_duration_seconds_bucket"),
            store("redis", "cache_operation_duration_seconds"),
            store("postgres", "database_query_duration_seconds"),
            store("kafka", "kafka_publish_duration_seconds"),
        ]
        .join(" or "),
    )
}

fn grouped(expr: &str) -> String {
    format!("({expr})")
}

/// The name by which a part of the map is measured: several installations call a store differently.
pub(super) fn measured_as(name: &str) -> &str {
    const STORES: [(&str, &str); 4] =
        [("redis", "redis"), ("postgres", "postgres"), ("kafka", "kafka"), ("redpanda", "kafka")];
    STORES.iter().find(|(part, _)| name.contains(part)).map_or(name, |(_, store)| store)
}

/// A regular expression for exactly these names, for a matcher; everything if there are none.
pub(super) fn names(names: &[String]) -> String {
    if names.is_empty() {
        return ".+".to_owned();
    }
    // A character that means something in a pattern, or ends the string, matches as any.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '.' };
    let literal = |name: &String| name.chars().map(plain).collect::<String>();
    names.iter().map(literal).collect::<Vec<_>>().join("|")
}

/// The answer of [`look`]: numbers by their name and by service, or objective.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Numbers {
    by_key: BTreeMap<(String, String), f64>,
    by_instance: BTreeMap<(String, String, String), f64>,
}

impl Numbers {
    /// Sorts the samples; what is not a number, such as a quantile without requests, is left out.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut numbers = Self::default();
        for sample in samples {
            let label = |name: &str| sample.metric.get(name).cloned();
            let (Some(what), Some(value)) = (label(WHAT), sample.value().filter(|value| value.is_finite()))
            else {
                continue;
            };
            let Some(key) = label("service").or_else(|| label("slo")) else { continue };
            match label("instance") {
                Some(instance) => numbers.by_instance.insert((what, key, instance), value),
                None => numbers.by_key.insert((what, key), value),
            };
        }
        numbers
    }

    /// A number of a service or an objective.
    pub(super) fn get(&self, what: &str, key: &str) -> Option<f64> {
        self.by_key.get(&(what.to_owned(), key.to_owned())).copied()
    }

    /// The numbers of each instance of each service.
    pub(super) fn instances(&self, what: &str) -> impl Iterator<Item = (&str, &str, f64)> {
        self.by_instance
            .iter()
            .filter(move |((name, ..), _)| name == what)
            .map(|((_, service, instance), value)| (service.as_str(), instance.as_str(), *value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_sorted_by_name_service_and_instance() {
        let sample = |labels: serde_json::Value, value: &str| -> Sample {
            serde_json::from_value(json!({ "metric": labels, "value": [1.0, value] })).unwrap()
        };
        let numbers = Numbers::of(&[
            sample(json!({ "what": "rate", "service": "order-api" }), "12.5"),
            sample(json!({ "what": "p95", "service": "order-api" }), "NaN"),
            sample(json!({ "what": "sli", "slo": "order-latency" }), "0.1"),
            sample(json!({ "what": "started", "service": "order-api", "instance": "a:1" }), "100"),
        ]);
        assert_eq!(numbers.get(what::RATE, "order-api"), Some(12.5));
        assert_eq!(numbers.get(what::P95, "order-api"), None, "no request, no quantile");
        assert_eq!(numbers.get(what::SLI, "order-latency"), Some(0.1));
        assert_eq!(numbers.instances(what::STARTED).collect::<Vec<_>>(), [("order-api", "a:1", 100.0)]);
    }

    #[test]
    fn stores_are_found_under_the_names_of_every_installation() {
        for (name, measured) in [("lab-kafka", "kafka"), ("redpanda", "kafka"), ("order-api", "order-api")] {
            assert_eq!(measured_as(name), measured);
        }
    }

    #[test]
    fn names_cannot_break_out_of_a_matcher() {
        assert_eq!(names(&["order-api".to_owned(), "a\"}|b".to_owned()]), "order-api|a...b");
        assert_eq!(names(&[]), ".+");
    }
}
