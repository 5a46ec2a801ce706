//! The whole lab on one screen, from what users get along the path of a request.

use slo::PAIRS;

use super::{
    hops::path_row,
    probes::probes_row,
    shared::{BUDGET, BURN, ERRORS, LATENCY, NEVER, USED, USED_PERCENT, alerts, exported, hop},
};
use crate::{
    link::{slo_board, slow_traces_of},
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{counted, dependencies, logs, max, min, quantile, query, rate, rates, sel, share, sum},
};

pub(super) fn board() -> Board {
    Board {
        uid: "overview",
        title: "Overview",
        description: "Start here. First what users get, then each hop of a request in order: look at the first one that is not green.",
        jobs: r#"up{job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            promise_row(),
            path_row(),
            signals_row(),
            probes_row(),
            saturation_row(),
            space_row(),
            trust_row(),
            map_row(),
        ],
    }
}

fn promise_row() -> Row {
    let firing = sel("board:alerts:active", "");
    row(
        "What users get",
        vec![
            Panel::new(Kind::Stat, "Error budget left", Unit::Ratio, "Share of the error budget of the period that is left, by SLO. Normal is above 50 %; below 0 the objective is violated. A click opens the SLO.")
                .query(query("{{slo}}", sel("board:slo_error_budget_remaining:ratio", "")))
                .steps(BUDGET)
                .size(14, 5)
                .links([slo_board()]),
            alerts("Alerts", &format!("max by (alertname, severity, alertstate, job) ({firing})"), (10, 10)),
            Panel::new(Kind::Stat, "Burn rate", Unit::Plain, format!("How many times faster than allowed each budget is being used now. Normal is below 1; {} pages.", PAIRS[0].factor))
                .query(query("{{slo}}", sel("board:slo_current_burn_rate:ratio", "")))
                .steps(BURN)
                .size(14, 5)
                .links([slo_board()]),
        ],
    )
}

fn signals_row() -> Row {
    let panel = |kind, title, unit, description| Panel::new(kind, title, unit, description).size(8, 8);
    let errors = r#"status=~"5..", endpoint!="/risky""#;
    row(
        "Golden signals",
        vec![
            panel(Kind::Lines, "Traffic", Unit::Requests, "Answered requests by service, and the rate that the load generator aims for. Normal is flat lines; the edge has the sum of what users ask, and user-service is called by order-api as well.")
                .query(query("{{service}}", rates("service", "http_requests_total", "")))
                .query(query("target", sum("", &sel("load_target_rps", ""))))
                .colour("target", "text"),
            panel(Kind::Lines, "Errors", Unit::Ratio, "Share of the responses that are 5xx, without /risky. Normal is 0; the edge passes on what the services answer.")
                .query(query("{{service}}", share("service", "http_requests_total", errors, r#"endpoint!="/risky""#)))
                .steps(&ERRORS[1..]),
            panel(Kind::Lines, "Latency, p95", Unit::Seconds, "The slowest 5 % of the responses. Normal is well below the dashed 250 ms. A dot opens its trace.")
                .query(query("{{service}}", quantile(0.95, "service", "http_request_duration_seconds", "")).exemplars())
                .steps(&LATENCY[1..])
                .links([slow_traces_of("order-api"), slow_traces_of("user-service")]),
        ],
    )
}

fn saturation_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(6, 7);
    let pool = format!(
        "max by (service) (\n  {}\n  /\n  {}\n)",
        sel("database_connections_active", ""),
        sel("database_connections_max", "")
    );
    row(
        "Saturation",
        vec![
            panel(
                "Connection pools",
                Unit::Ratio,
                "Share of the pool that is held, by service. Normal is below 50 %.",
            )
            .query(query("{{service}}", pool))
            .range(0.0, 1.0)
            .steps(&USED[1..])
            .links(hop("data-stores", "Data stores")),
            panel("CPU", Unit::Percent, "Share of what each process may use. Normal is below 50 %.")
                .query(query("{{service}}", max("service", &sel("process_cpu_usage_percent", ""))))
                .range(0.0, 100.0)
                .steps(&USED_PERCENT[1..]),
            panel(
                "Queue: age of the oldest message",
                Unit::Seconds,
                "How long the oldest message has been waiting, by topic. Normal is below a second.",
            )
            .query(query("{{topic}}", max("topic", &sel("kafka_oldest_message_age_seconds", ""))))
            .steps(&[(Some(5.0), "red")])
            .links(hop("orders-pipeline", "Orders pipeline")),
            panel(
                "Requests refused",
                Unit::Requests,
                "Requests that were shed, refused by a breaker or a bulkhead, or refused to protect the database. Normal is 0.",
            )
            .query(query("shed by {{service}}", rates("service", "http_requests_shed_total", "")))
            .query(query("calls not sent: {{reason}}", sum("reason", &rate("http_client_refused_total", ""))))
            .steps(&NEVER[1..]),
        ],
    )
}

/// What runs out slowly, and what does not stay.
fn space_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(12, 7);
    let starts = format!("changes({}[$__rate_interval])", sel("process_start_time_seconds", ""));
    row(
        "Disks and starts",
        vec![
            panel("Disk space left", Unit::Bytes, "Bytes that are left on each disk that a service sees, and for the files of each service. Normal is flat; a straight line down is full where it meets the axis. A disk with less than the dashed 256 MiB is a ticket, and so is one that will be full within four minutes.")
                .query(query("{{mount_point}}", min("mount_point", &sel("disk_free_bytes", ""))))
                .query(query("files of {{service}}", min("service", &sel("data_folder_free_bytes", ""))))
                .steps(&[(Some(268_435_456.0), "red")]),
            panel("Starts of processes", Unit::Count, "New processes, by job. Normal is 0; one is a deploy or a crash, several in a row are a crash loop.")
                .query(query("{{job}}", sum("job", &starts)))
                .steps(&NEVER[1..]),
        ],
    )
}

/// What processes hold, and whether the alerts can be trusted.
fn trust_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(6, 7);
    let series = sel(
        "scrape_samples_post_metric_relabeling",
        r#"service=~"order-api|user-service|order-worker|load""#,
    );
    row(
        "Memory, series and alerting",
        vec![
            panel("Memory of processes", Unit::Percent, "Share of what each process may hold. Normal is flat; a process that holds more than 85 % is a ticket, and a container is killed at 100 %.")
                .query(query("{{service}}", max("service", &sel("process_memory_usage_percent", ""))))
                .range(0.0, 100.0)
                .steps(&USED_PERCENT[1..]),
            panel("Series of a scrape", Unit::Plain, "Series that a replica of each service exports. Normal is flat, between 200 and 400; above 1500, a label has values that it should not have.")
                .query(query("{{service}}", max("service", &series)))
                .steps(&[(Some(1500.0), "red")]),
            panel("Rules that fail", Unit::Events, "Evaluations of rules that failed. Normal is 0; the alerts of a rule that fails are silent.")
                .query(exported("{{service}}", rates("service", "prometheus_rule_evaluation_failures_total", "")))
                .steps(&NEVER[1..]),
            panel("Alerts not delivered", Unit::Events, "Deliveries that failed: from Prometheus to Alertmanager, and from Alertmanager to a receiver. Normal is 0.")
                .query(exported("to Alertmanager", rates("", "prometheus_notifications_errors_total", "")))
                .query(exported("to a receiver", rates("", "alertmanager_notification_requests_failed_total", "")))
                .steps(&NEVER[1..]),
        ],
    )
}

fn map_row() -> Row {
    let expr = r#"{service=~".+"} | json | level="ERROR""#;
    // As in dashboards/log-rules, over the panel's own step.
    let by_message = r#"60 * sum by (service, message) (rate({service=~".+", level="ERROR"} | json | __error__="" | url_path!="/risky" [$__auto]))"#;
    row(
        "Who calls whom, and what is logged",
        vec![
            Panel::new(Kind::NodeGraph, "Service map", Unit::Plain, "Calls between services according to the traces, including messages. Normal is the picture of docs/architecture.md.")
                .query(dependencies())
                .size(10, 10),
            Panel::new(Kind::Logs, "Errors of all services", Unit::Plain, "Lines at ERROR. Normal is /risky only, which fails by design. The field trace_id opens the trace.")
                .query(logs(expr))
                .size(14, 10),
            Panel::new(Kind::Lines, "Error lines per minute, by message", Unit::Count, "Lines at ERROR, without those of /risky. Normal is none; above the dashed 10 the alert ErrorsLogged fires.")
                .query(counted("{{service}}: {{message}}", by_message))
                .steps(&[(Some(10.0), "red")])
                .size(24, 7),
        ],
    )
}
