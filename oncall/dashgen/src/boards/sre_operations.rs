//! The dashboard of the SRE exercises, panel by panel under their titles. Each answers what its query was meant to
//! ask: both sides of the error rate are summed, the quantile covers all replicas, and gauges have names without
//! `_total`.

use super::shared::USED_PERCENT;
use crate::{
    link::{board as to, slow_traces_of},
    model::{Board, Kind, Panel, Unit, row},
    query::{max, quantile, query, rates, sel, share, sum},
};

pub(super) const UID: &str = "sre-operations";
/// The tags that the exercises give it.
pub(super) const TAGS: &[&str] = &["sre", "monitoring", "operations"];

pub(super) fn board() -> Board {
    Board {
        uid: UID,
        title: "SRE Operations Dashboard",
        description: "The dashboard of the exercises. Its seven panels, corrected where their queries divided series by themselves.",
        jobs: r#"up{service=~"edge|order-api|user-service|order-worker", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![row("Service health", health()), row("Resources and business", resources())],
    }
}

const SERVICES: &str = r#"service=~"edge|order-api|user-service|order-worker""#;
/// What the alert HighErrorRate counts: everything except the endpoint that fails by design (ADR 0005), where it is handled: the
/// edge passes on what the services answer.
const COUNTED: &str = r#"job!="edge", endpoint!="/risky""#;

/// Whether each target answers its scrapes; 0 for a service that had targets in the time range and has none now.
/// Without the second part it would disappear from the panel instead of turning red. By service, because a roll-out
/// replaces targets and ends well.
fn health_of_services() -> String {
    let up = sel("up", &format!("{SERVICES}, job!=\"application-metrics\""));
    format!("{up}\nor on (service)\n0 * max by (service) (max_over_time({up}[$__range]))")
}

fn health() -> Vec<Panel> {
    let errors = format!("status=~\"5..\", {COUNTED}");
    let error_rate = share("service", "http_requests_total", &errors, COUNTED);
    let requests = rates("service, method, endpoint", "http_requests_total", "");
    vec![
        Panel::new(Kind::Stat, "Service Health Overview", Unit::Count, "Whether each service can be scraped. Normal is up. A service whose last target has vanished stays, as down, for the time range.")
            .query(query("{{service}} {{instance}}", health_of_services()))
            .words(&[(0.0, "down", "red"), (1.0, "up", "green")])
            .size(24, 4)
            .links([to("overview", "Overview")]),
        Panel::new(Kind::Stack, "Request Rate", Unit::Requests, "Requests per second, by service, method and route. Normal follows the load.")
            .query(query("{{service}} {{method}} {{endpoint}}", requests))
            .size(8, 9),
        Panel::new(Kind::Lines, "Error Rate", Unit::Percent, "Responses with 5xx as a percentage of all, by service, without /risky, which fails by design: what the alert HighErrorRate counts. Normal is 0; above the dashed 5 % the alert fires.")
            .query(query("{{service}}", format!("100 * {error_rate}")))
            .range(0.0, 100.0)
            .steps(&[(Some(5.0), "red")])
            .links([to("sandbox", "Sandbox")])
            .size(8, 9),
        Panel::new(Kind::Lines, "Response Time (95th percentile)", Unit::Seconds, "95th and 50th percentile of the response time, by service. Normal is below 250 ms. A dot opens its trace.")
            .query(query("{{service}} p95", quantile(0.95, "service", "http_request_duration_seconds", "")).exemplars())
            .query(query("{{service}} p50", quantile(0.5, "service", "http_request_duration_seconds", "")))
            .links([slow_traces_of("order-api"), slow_traces_of("user-service")])
            .size(8, 9),
    ]
}

fn resources() -> Vec<Panel> {
    let orders = rates("", "orders_processed_total", r#"status="completed""#);
    vec![
        Panel::new(
            Kind::Lines,
            "System Resources",
            Unit::Percent,
            "CPU and memory of the host that the services run on: of the container where one is limited. Every process reports the same, so the highest is shown. Normal is below 70 %.",
        )
        .query(query("CPU", max("", &sel("cpu_usage_percent", SERVICES))))
        .query(query("memory", max("", &sel("memory_usage_percent", SERVICES))))
        .range(0.0, 100.0)
        .steps(&USED_PERCENT[1..])
        .size(8, 9),
        Panel::new(
            Kind::Lines,
            "Database Performance",
            Unit::Count,
            "Connections in use by database, and statements per second. Normal is a few connections.",
        )
        .query(query(
            "{{database}} active connections",
            sum("database", &sel("database_connections_active", "")),
        ))
        .query(query("queries/s", rates("", "database_query_duration_seconds_count", "")))
        .links([to("data-stores", "Data stores")])
        .size(8, 9),
        Panel::new(
            Kind::Lines,
            "Business Metrics",
            Unit::Count,
            "Distinct users of the last 15 minutes, and completed orders per minute. Normal follows the load.",
        )
        .query(query("active users", max("", &sel("active_users", ""))))
        .query(query("orders/min", format!("60 * {orders}")))
        .links([to("orders-pipeline", "Orders pipeline")])
        .size(8, 9),
    ]
}
