//! Rows that several boards share, so that a reader finds the same signal in the same place.

use slo::PAIRS;

use crate::{
    link::{
        board, logs_of, overview_of_job, requests_of, runbook, service_board, slo_board, slow_traces_of,
        traces_of,
    },
    model::{Kind, Panel, Row, Step, Unit, folded, row, text, value},
    query::{Query, counted, logs, quantile, quantiles, query, rate, rates, requests, sel, share, sum},
};

/// Colours of the budget that is left, as a share.
pub(super) const BUDGET: &[Step] =
    &[(None, "red"), (Some(0.0), "orange"), (Some(0.25), "yellow"), (Some(0.5), "green")];
/// Colours of a burn rate: 1 uses the budget up exactly at the end of the period; the last two page.
pub(super) const BURN: &[Step] = &[
    (None, "green"),
    (Some(1.0), "yellow"),
    (Some(PAIRS[1].factor), "orange"),
    (Some(PAIRS[0].factor), "red"),
];
/// Colours of an error ratio.
pub(super) const ERRORS: &[Step] = &[(None, "green"), (Some(0.01), "yellow"), (Some(0.05), "red")];
/// Colours of a latency in seconds: the objective is 250 ms.
pub(super) const LATENCY: &[Step] = &[(None, "green"), (Some(0.25), "orange"), (Some(0.5), "red")];
/// Colours of a used share.
pub(super) const USED: &[Step] = &[(None, "green"), (Some(0.7), "yellow"), (Some(0.9), "red")];
/// Colours of a used percentage.
pub(super) const USED_PERCENT: &[Step] = &[(None, "green"), (Some(70.0), "yellow"), (Some(85.0), "red")];
/// Colours of something that should never happen.
pub(super) const NEVER: &[Step] = &[(None, "green"), (Some(0.001), "red")];

/// How often the exporters are scraped, and on Kubernetes everything but the services.
const EXPORTED: &str = "5s";

/// A query of metrics of an exporter.
pub(super) fn exported(legend: &str, expr: impl Into<String>) -> Query {
    query(legend, expr).every(EXPORTED)
}

/// The matcher that narrows a selector to one service.
pub(super) fn of(service: &str) -> String {
    format!("service=\"{service}\"")
}

/// Lines over time, a quarter of the page wide.
pub(super) fn panel(title: &'static str, unit: Unit, description: &'static str) -> Panel {
    Panel::new(Kind::Lines, title, unit, description).size(6, 7)
}

/// Budget, burn rate and alerts of one service.
pub(super) fn slo_row(service: &str) -> Row {
    let of = of(service);
    let firing =
        format!("max by (alertname, severity, alertstate, job) ({})", sel("board:alerts:active", &of));
    row(
        "SLO and error budget",
        vec![
            Panel::new(
                Kind::Stat,
                "Error budget left",
                Unit::Ratio,
                "Share of the error budget of the period that is left, by SLO. Normal is above 50 %; below 0 the objective is violated.",
            )
            .query(query("{{slo}}", sel("board:slo_error_budget_remaining:ratio", &of)))
            .steps(BUDGET)
            .size(8, 6)
            .links([slo_board()]),
            Panel::new(
                Kind::Lines,
                "Burn rate",
                Unit::Plain,
                format!(
                    "How many times faster than allowed the budget is being used, over the short window of the fast page. Normal is below 1; {} pages.",
                    PAIRS[0].factor
                ),
            )
            .query(query("{{slo}}", sel("board:slo_current_burn_rate:ratio", &of)))
            .steps(&BURN[1..])
            .size(8, 6)
            .links([slo_board()]),
            alerts("Alerts of this service", &firing, (8, 6)),
        ],
    )
}

/// A table of alerts; normally empty.
pub(super) fn alerts(title: &'static str, expr: &str, (width, height): (u32, u32)) -> Panel {
    let columns = vec![
        text("alertname", "Alert").link(runbook()),
        text("severity", "Severity"),
        text("alertstate", "State"),
        text("job", "Service").link(overview_of_job()).link(service_board()),
    ];
    Panel::new(
        Kind::Table(columns),
        title,
        Unit::Plain,
        "Alerts that are pending or firing. Normal is an empty table. The alert's name opens its runbook, the service its dashboard.",
    )
    .query(query("", expr))
    .size(width, height)
}

/// Rate, errors and duration of a service's HTTP requests.
pub(super) fn red_row(service: &'static str) -> Row {
    let of = of(service);
    let errors = format!("{of}, status=~\"5..\"");
    let panel = |kind, title, unit, description| Panel::new(kind, title, unit, description).size(6, 8);
    let traces = || [slow_traces_of(service), traces_of(service), logs_of(service)];
    let mut latency = panel(
        Kind::Lines,
        "Latency",
        Unit::Seconds,
        "Time to the response. Normal is a p99 well below the dashed 250 ms of the objective. A dot is one request: it opens its trace.",
    )
    .steps(&LATENCY[1..])
    .links(traces());
    for query in quantiles("http_request_duration_seconds", &of) {
        latency = latency.query(query);
    }
    row(
        "Requests: rate, errors, duration",
        vec![
            panel(Kind::Stack, "Request rate", Unit::Requests, "Answered requests, by route. Normal follows the load; a route that vanishes is a symptom as well.")
                .query(query("{{method}} {{endpoint}}", rates("method, endpoint", "http_requests_total", &of)))
                .links(traces()),
            panel(Kind::Lines, "Error ratio", Unit::Ratio, "Share of the responses that are 5xx, by route. Normal is 0, except for /risky, which fails for 20 % by design.")
                .query(query("{{method}} {{endpoint}}", share("method, endpoint", "http_requests_total", &errors, &of)))
                .steps(&ERRORS[1..])
                .links(traces()),
            latency.colour("p50", "green").colour("p95", "orange").colour("p99", "red"),
            panel(Kind::Lines, "p95 by route", Unit::Seconds, "The slowest 5 % of each route. Normal is a flat line per route; look at one that leaves the others.")
                .query(query("{{method}} {{endpoint}}", quantile(0.95, "method, endpoint", "http_request_duration_seconds", &of)).exemplars())
                .links(traces()),
            Panel::new(Kind::Heatmap, "Latency distribution", Unit::Seconds, "Requests by how long they took. Normal is one dark band near the bottom; a second band is a second kind of request, such as a miss or a retry.")
                .query(query("{{le}}", sum("le", &rate("http_request_duration_seconds_bucket", &of))).buckets().exemplars())
                .size(12, 8),
            Panel::new(Kind::Stack, "Answers by status", Unit::Requests, "Responses by status code. Normal is 2xx with a few 404 and 422; 503 is shed or a dependency, 499 a client that gave up.")
                .query(query("{{status}}", rates("status", "http_requests_total", &of)))
                .size(12, 8)
                .colour("/2../", "green")
                .colour("/4../", "yellow")
                .colour("/5../", "red")
                .links(traces()),
        ],
    )
}

/// Pool, statements and errors of a service's database.
pub(super) fn database_panels(matchers: &str) -> Vec<Panel> {
    let active = sum("database", &sel("database_connections_active", matchers));
    let most = sum("database", &sel("database_connections_max", matchers));
    vec![
        Panel::new(Kind::Lines, "Connection pool in use", Unit::Ratio, "Share of the pool's connections that are in use. Normal is below 50 %; at 100 % every further operation waits.")
            .query(query("{{database}}", format!("{active}\n/\n{most}")))
            .range(0.0, 1.0)
            .steps(&USED[1..])
            .size(6, 7),
        Panel::new(Kind::Lines, "Wait for a connection, p95", Unit::Seconds, "How long operations wait for a free connection. Normal is microseconds; growth means that the pool is too small or statements are too slow.")
            .query(query("{{database}}", quantile(0.95, "database", "database_pool_wait_seconds", matchers)).exemplars())
            .size(6, 7),
        Panel::new(Kind::Lines, "Statement p95", Unit::Seconds, "Duration of statements and transactions without the wait, by type. Normal is a few milliseconds. A dot opens its trace.")
            .query(query("{{query_type}}", quantile(0.95, "query_type", "database_query_duration_seconds", matchers)).exemplars())
            .size(6, 7),
        Panel::new(Kind::Lines, "Database errors", Unit::Operations, "Operations that failed in the database, by kind. Normal is 0, except for a few conflicts.")
            .query(query("{{database}} {{kind}}", rates("database, kind", "database_errors_total", matchers)))
            .size(6, 7),
    ]
}

/// The process itself.
pub(super) fn runtime_row(service: &'static str) -> Row {
    let of = of(service);
    let files = format!("{}\n/\n{}", sel("process_open_fds", &of), sel("process_max_fds", &of));
    folded(
        "Runtime",
        vec![
            panel("CPU", Unit::Percent, "Share of what the process may use. Normal is below 50 %; near 100 % everything becomes slow at once.")
                .query(query("{{instance}}", sel("process_cpu_usage_percent", &of)))
                .range(0.0, 100.0)
                .steps(&USED_PERCENT[1..]),
            panel("Memory", Unit::Bytes, "Resident memory. Normal is flat; a line that only rises is a leak.")
                .query(query("{{instance}}", sel("process_resident_memory_bytes", &of))),
            panel("Delay of the async runtime, p99", Unit::Seconds, "How late a task that is due every 100 ms runs. Normal is below 5 ms; more means that something blocks the runtime.")
                .query(query("{{instance}}", quantile(0.99, "instance", "runtime_poll_delay_seconds", &of))),
            panel("File descriptors in use", Unit::Ratio, "Share of the file descriptors that the process may open. Normal is flat and small; a rise is a leak.")
                .query(query("{{instance}}", files)),
            panel("Files of its own", Unit::Bytes, "What the files in the data folder of the process take, and what may still be written. Normal is nothing; a line that only rises is a temporary file that nobody removes.")
                .query(query("{{instance}}", sel("data_folder_bytes", &of)))
                .query(query("left to {{instance}}", sel("data_folder_free_bytes", &of))),
            panel("Log lines", Unit::Events, "Lines written, by level. Normal is a trickle; a flood costs CPU and hides what is important.")
                .query(query("{{level}}", rates("level", "log_lines_total", &of)))
                .links([logs_of(service)]),
            panel("Spans", Unit::Events, "Spans that the trace store accepted, and spans that were lost. Normal is no loss.")
                .query(query("exported", rates("", "traces_exported_total", &of)))
                .query(query("lost", rates("", "traces_dropped_total", &of)))
                .colour("lost", "red"),
            panel("Time since the start", Unit::Seconds, "Age of the process. Normal only rises; a saw tooth is a crash loop.")
                .query(query("{{instance}}", format!("time() - {}", sel("process_start_time_seconds", &of)))),
            panel("Threads", Unit::Count, "Threads of the process. Normal is flat.")
                .query(query("{{instance}}", sel("process_threads", &of))),
        ],
    )
}

/// Warnings and errors of a service.
pub(super) fn logs_row(service: &str) -> Row {
    let expr = format!("{{service=\"{service}\"}} | json | level=~`WARN|ERROR`");
    row(
        "Logs",
        vec![
            Panel::new(Kind::Logs, "Warnings and errors", Unit::Plain, "What the service logged at WARN and ERROR. Normal is empty. The field trace_id opens the trace.")
                .query(logs(expr)),
        ],
    )
}

/// The access log of a service: what its metrics cannot say, because clients are no labels.
pub(super) fn access_row(service: &'static str) -> Row {
    let (of, requests) = (of(service), requests(service));
    let by_status =
        format!("sum by (http_response_status_code) (rate({requests} | unwrap represents [$__auto]))");
    let slowest = format!(
        "topk(5, quantile_over_time(0.95, {requests} | unwrap http_server_request_duration [$__auto]) \
         by (http_request_method, http_route))"
    );
    let refused = format!(
        "topk(10, sum by (network_peer_address) (sum_over_time({requests} | http_response_status_code>=400 \
         | http_response_status_code<500 | unwrap represents [$__auto])))"
    );
    let clients =
        vec![text("network_peer_address", "Client"), value("Value #A", "Requests", Unit::Count, &[])];
    let panel = |kind, title, unit, description| Panel::new(kind, title, unit, description).size(6, 8);
    row(
        "Access log",
        vec![
            panel(Kind::Stack, "Requests by status, from the log", Unit::Requests, "What the lines represent, by status. Normal is the same as Answers by status; a difference is lost lines.")
                .query(counted("{{http_response_status_code}}", by_status))
                .colour("/2../", "green")
                .colour("/4../", "yellow")
                .colour("/5../", "red")
                .links([requests_of(service)]),
            panel(Kind::Lines, "Slowest routes, p95", Unit::Seconds, "The five routes with the highest p95 among the requests that have a line. Normal is below the dashed 250 ms of the objective.")
                .query(counted("{{http_request_method}} {{http_route}}", slowest))
                .steps(&LATENCY[1..])
                .links([requests_of(service)]),
            panel(Kind::Table(clients), "Clients with most 4xx", Unit::Count, "The ten addresses with most requests that were answered with 4xx, over the time range. Normal is the callers in proportion to their traffic; a stranger at the top is a scanner or a client that is broken.")
                .query(counted("", refused).now())
                .links([requests_of(service)]),
            panel(Kind::Lines, "Requests without a line", Unit::Requests, "Requests that another line represents, because more than ACCESS_LOG_RATE succeeded per second. Normal is 0 at the load of the lab; failed requests always have a line.")
                .query(query("{{instance}}", rates("instance", "access_log_skipped_total", &of))),
        ],
    )
}

/// Links to the boards along the path of an order.
pub(super) fn hop(uid: &str, title: &str) -> [crate::link::Link; 1] {
    [board(uid, title)]
}
