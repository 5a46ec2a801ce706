//! order-api: the front of the shop.

use super::shared::{
    NEVER, USED, access_row, database_panels, logs_row, of, panel, red_row, runtime_row, slo_row,
};
use crate::{
    link::{board as to, slow_traces_of, traces_of},
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{max, quantile, query, rates, sel, share, sum},
};

const NAME: &str = "order-api";

pub(super) fn board() -> Board {
    Board {
        uid: NAME,
        title: "order-api",
        description: "Takes orders and answers reads of them; hands orders on through its outbox. Read from top to bottom: first what users notice, then the possible causes.",
        jobs: r#"up{service="order-api", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            slo_row(NAME),
            red_row(NAME),
            peer_row(),
            row("Dependency: PostgreSQL \"orders\"", database_panels(&of(NAME))),
            queue_row(),
            saturation_row(),
            logs_row(NAME),
            access_row(NAME),
            runtime_row(NAME),
        ],
    }
}

fn peer_row() -> Row {
    let of = of(NAME);
    let links = || [to("user-service", "user-service"), traces_of(NAME)];
    row(
        "Dependency: user-service",
        vec![
            Panel::new(Kind::Stack, "Calls by outcome", Unit::Requests, "Attempts of calls, by how they ended. Normal is ok, with a few client_error for users that do not exist.")
                .query(query("{{peer}} {{outcome}}", rates("peer, outcome", "http_client_requests_total", &of)))
                .size(6, 7)
                .links(links()),
            panel("Call p95", Unit::Seconds, "Duration of one attempt as seen from here. Normal is a few milliseconds; higher than what user-service itself measures means network or queueing between the two.")
                .query(query("{{peer}}", quantile(0.95, "peer", "http_client_request_duration_seconds", &of)).exemplars())
                .links([slow_traces_of(NAME)]),
            panel("Retries and refused calls", Unit::Requests, "Attempts after the first, and calls that the breaker or the bulkhead did not let out. Normal is 0.")
                .query(query("retries to {{peer}}", rates("peer", "http_client_retries_total", &of)))
                .query(query("refused: {{reason}}", rates("peer, reason", "http_client_refused_total", &of))),
            Panel::new(Kind::States, "Circuit breaker", Unit::Plain, "Normal is closed. Open: calls are refused at once; half-open: one trial call is let through.")
                .query(query("{{peer}}", max("peer", &sel("circuit_breaker_state", &of))))
                .words(&[(0.0, "closed", "green"), (1.0, "half-open", "yellow"), (2.0, "open", "red")])
                .size(6, 7),
        ],
    )
}

fn queue_row() -> Row {
    let of = of(NAME);
    let failed = format!("{of}, outcome=\"error\"");
    let links = || [to("orders-pipeline", "Orders pipeline")];
    row(
        "Dependency: the topics orders and order-outcomes",
        vec![
            panel("Outbox entries", Unit::Count, "Accepted orders that are not settled yet. Normal is about one second's worth of orders; growth means that they are not being settled.")
                .query(query("entries", max("", &sel("outbox_entries", &of))))
                .links(links()),
            panel("Age of the oldest entry", Unit::Seconds, "How long the oldest unsettled order has been waiting. Normal is below a second; above 5 s the freshness objective is violated.")
                .query(query("oldest", max("", &sel("outbox_oldest_age_seconds", &of))))
                .steps(&[(Some(5.0), "red")])
                .links(links()),
            panel("Publish p95", Unit::Seconds, "Time to the broker's acknowledgement. Normal is a few milliseconds.")
                .query(query("{{topic}}", quantile(0.95, "topic", "kafka_publish_duration_seconds", &of))),
            panel("Publish failures", Unit::Ratio, "Share of the publish attempts that failed. Normal is 0; the outbox tries again, so nothing is lost.")
                .query(query("{{topic}}", share("topic", "kafka_published_total", &failed, &of)))
                .steps(&NEVER[1..]),
        ],
    )
}

fn saturation_row() -> Row {
    let of = of(NAME);
    row(
        "Saturation",
        vec![
            panel(
                "Requests in flight",
                Unit::Count,
                "Requests that have not been answered yet. Normal is rate times latency: a handful.",
            )
            .query(query("{{instance}}", sel("http_requests_in_flight", &of))),
            panel(
                "Shed and panics",
                Unit::Requests,
                "Requests refused because too many were in flight, handlers that panicked, and clients turned away because of their own behaviour (slow, too many, foreign). Normal is 0.",
            )
            .query(query("shed", rates("", "http_requests_shed_total", &of)))
            .query(query("panics", rates("", "http_panics_total", &of)))
            .query(query("turned away: {{reason}}", rates("reason", "http_clients_refused_total", &of)))
            .colour("panics", "red"),
            panel(
                "Lag of order-outcomes",
                Unit::Count,
                "Outcomes that have not been applied yet, by partition. Normal is near 0.",
            )
            .query(query(
                "{{topic}}/{{partition}}",
                sum("topic, partition", &sel("kafka_consumer_lag", &of)),
            )),
            panel(
                "Disk in use",
                Unit::Percent,
                "Use of the process's file system, as df counts it. Normal is flat.",
            )
            .query(query("{{mount_point}}", max("mount_point", &sel("disk_usage_percent", &of))))
            .range(0.0, 100.0)
            .steps(&[(Some(USED[2].0.unwrap_or(0.9) * 100.0), "red")]),
        ],
    )
}
