//! The whole lab on one screen, from what users get along the path of a request.

use slo::PAIRS;

use super::{
    probes::probes_row,
    shared::{BUDGET, BURN, ERRORS, LATENCY, NEVER, USED, USED_PERCENT, alerts, hop},
};
use crate::{
    link::{slo_board, slow_traces_of},
    model::{Board, Kind, Panel, Row, Step, Unit, row},
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

/// One hop: its name, its description, and its three signals.
struct Hop {
    title: &'static str,
    description: &'static str,
    rate: String,
    errors: String,
    p95: String,
    slow: &'static [Step],
    to: (&'static str, &'static str),
}

impl Hop {
    fn panel(self) -> Panel {
        Panel::new(Kind::Stat, self.title, Unit::Operations, self.description)
            .query(query("rate", self.rate))
            .query(query("errors", self.errors))
            .query(query("p95", self.p95))
            .special("errors", Unit::Ratio, ERRORS)
            .special("p95", Unit::Seconds, self.slow)
            .steps(&[(None, "text")])
            .size(3, 9)
            .links(hop(self.to.0, self.to.1))
    }
}

/// Colours of the latency of a store.
const STORE: &[Step] = &[(None, "green"), (Some(0.05), "orange"), (Some(0.25), "red")];
/// The hops that are stores.
const STORES: [&str; 3] = ["5 Redis", "6 PostgreSQL", "7 Kafka"];
/// Colours of the time to settle an order.
const SETTLE: &[Step] = &[(None, "green"), (Some(2.5), "orange"), (Some(5.0), "red")];

fn path_row() -> Row {
    let hops = vec![
        users(),
        http("edge"),
        http("order-api"),
        http("user-service"),
        redis(),
        postgres(),
        kafka(),
        worker(),
        settled(),
    ];
    // Nine hops in 24 columns: the names of stores are the shortest.
    let wide = |hop: Hop| if STORES.contains(&hop.title) { hop.panel().size(2, 9) } else { hop.panel() };
    row("The path of a request, hop by hop", hops.into_iter().map(wide).collect())
}

fn users() -> Hop {
    let failed = r#"outcome!~"ok|client_error""#;
    Hop {
        title: "1 Users",
        description: "The load generator's view, from outside. Normal is green except for errors of /risky. What only this row sees happens between the users and the edge. /risky fails for 20 % of its calls by design.",
        rate: rates("", "load_requests_total", ""),
        errors: share("", "load_requests_total", failed, ""),
        p95: quantile(0.95, "", "load_request_duration_seconds", ""),
        slow: LATENCY,
        to: ("sandbox", "Sandbox"),
    }
}

const AT_THE_EDGE: &str = "Answers without /risky. Errors are 502 and 504: a service gave no answer, or the edge is stuck; normal is 0.";
const IN_A_SERVICE: &str = "Answers without /risky. Errors are 5xx; normal is 0.";

/// A hop over HTTP. /risky fails by design and would hide real failures; of the edge, what it says of the services.
fn http(service: &'static str) -> Hop {
    let (title, description, failed) = match service {
        "edge" => ("2 Edge", AT_THE_EDGE, r#"status=~"502|504""#),
        "order-api" => ("3 order-api", IN_A_SERVICE, r#"status=~"5..""#),
        _ => ("4 user-service", IN_A_SERVICE, r#"status=~"5..""#),
    };
    let of = format!("service=\"{service}\", endpoint!=\"/risky\"");
    Hop {
        title,
        description,
        rate: rates("", "http_requests_total", &of),
        errors: share("", "http_requests_total", &format!("{of}, {failed}"), &of),
        p95: quantile(0.95, "", "http_request_duration_seconds", &of),
        slow: LATENCY,
        to: (service, service),
    }
}

fn redis() -> Hop {
    Hop {
        title: "5 Redis",
        description: "Cache operations of user-service. Errors are failed and late operations; normal is 0.",
        rate: rates("", "cache_operation_duration_seconds_count", ""),
        errors: format!(
            "{}\n/\n{}",
            rates("", "cache_errors_total", ""),
            rates("", "cache_operation_duration_seconds_count", "")
        ),
        p95: quantile(0.95, "", "cache_operation_duration_seconds", ""),
        slow: STORE,
        to: ("data-stores", "Data stores"),
    }
}

fn postgres() -> Hop {
    Hop {
        title: "6 PostgreSQL",
        description: "Statements and transactions of all services, without the wait for a connection. Errors exclude conflicts and duplicates, which are regular results; normal is 0.",
        rate: rates("", "database_query_duration_seconds_count", ""),
        errors: format!(
            "{}\n/\n{}",
            rates("", "database_errors_total", r#"kind!~"conflict|duplicate""#),
            rates("", "database_query_duration_seconds_count", "")
        ),
        p95: quantile(0.95, "", "database_query_duration_seconds", ""),
        slow: STORE,
        to: ("data-stores", "Data stores"),
    }
}

fn kafka() -> Hop {
    Hop {
        title: "7 Kafka",
        description: "Messages published to all topics, and the time to the broker's acknowledgement. Normal is no errors and a few milliseconds.",
        rate: rates("", "kafka_published_total", ""),
        errors: share("", "kafka_published_total", r#"outcome="error""#, ""),
        p95: quantile(0.95, "", "kafka_publish_duration_seconds", ""),
        slow: STORE,
        to: ("orders-pipeline", "Orders pipeline"),
    }
}

fn worker() -> Hop {
    let of = r#"service="order-worker""#;
    Hop {
        title: "8 order-worker",
        description: "Orders handled, and the time of one attempt. Errors are dead letters; normal is 0.",
        rate: rates("", "orders_processed_total", of),
        errors: share("", "kafka_consumed_total", &format!("{of}, outcome=\"dead_letter\""), of),
        p95: quantile(0.95, "", "kafka_process_duration_seconds", of),
        slow: LATENCY,
        to: ("order-worker", "order-worker"),
    }
}

fn settled() -> Hop {
    Hop {
        title: "9 Settled",
        description: "Orders whose outcome was applied, and the time since their 202. Errors are totals that do not match their lines; normal is 0.",
        rate: rates("", "orders_settled_total", ""),
        errors: share("", "order_totals_checked_total", r#"result="mismatch""#, ""),
        p95: quantile(0.95, "", "order_settle_duration_seconds", ""),
        slow: SETTLE,
        to: ("orders-pipeline", "Orders pipeline"),
    }
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
