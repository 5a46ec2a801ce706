//! order-worker: settles orders. It has no HTTP, so its rate, errors and duration are those of messages.

use super::shared::{NEVER, database_panels, logs_row, of, runtime_row, slo_row};
use crate::{
    link::{board as to, slow_traces_of, traces_of},
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{max, quantiles, query, rates, sel, share, sum},
};

const NAME: &str = "order-worker";

pub(super) fn board() -> Board {
    Board {
        uid: NAME,
        title: "order-worker",
        description: "Consumes orders, takes payment, publishes outcomes, and dead-letters messages that it cannot read. Read from top to bottom: does it keep up, are its results right, what holds it up.",
        jobs: r#"up{service="order-worker", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            slo_row(NAME),
            messages_row(),
            correctness_row(),
            queue_row(),
            row("Dependency: PostgreSQL \"fulfillment\"", database_panels(&of(NAME))),
            logs_row(NAME),
            runtime_row(NAME),
        ],
    }
}

fn panel(title: &'static str, unit: Unit, description: &'static str) -> Panel {
    Panel::new(Kind::Lines, title, unit, description).size(6, 8)
}

fn messages_row() -> Row {
    let of = of(NAME);
    let failed = format!("{of}, outcome=\"dead_letter\"");
    let links = || [slow_traces_of(NAME), traces_of(NAME)];
    let mut duration = panel(
        "Time to handle a message",
        Unit::Seconds,
        "Duration of one attempt. Normal is around ten milliseconds: one transaction. A dot opens its trace.",
    )
    .links(links());
    for query in quantiles("kafka_process_duration_seconds", &of) {
        duration = duration.query(query);
    }
    row(
        "Messages: rate, errors, duration",
        vec![
            Panel::new(Kind::Stack, "Orders by outcome", Unit::Events, "What became of order messages. Normal is completed with a few rejected; duplicates appear after a restart and are harmless.")
                .query(query("{{status}}", rates("status", "orders_processed_total", &of)))
                .colour("completed", "green")
                .colour("dead_letter", "red")
                .size(6, 8)
                .links(links()),
            panel("Dead-letter ratio", Unit::Ratio, "Share of the messages that were given up on. Normal is 0.")
                .query(query("{{topic}}", share("topic", "kafka_consumed_total", &failed, &of)))
                .steps(&NEVER[1..]),
            duration.colour("p50", "green").colour("p95", "orange").colour("p99", "red"),
            panel("Attempts that will be repeated", Unit::Events, "Normal is 0. Retries hold up the messages behind them.")
                .query(query("{{topic}}", rates("topic", "kafka_retries_total", &of))),
        ],
    )
}

fn correctness_row() -> Row {
    let of = of(NAME);
    let wrong = format!("{of}, result=\"mismatch\"");
    row(
        "Are its results right?",
        vec![
            panel("Wrong totals", Unit::Ratio, "Share of the orders whose total does not match their lines. Normal is 0. No request fails because of it: only this panel and its alert show it.")
                .query(query("mismatch", share("", "order_totals_checked_total", &wrong, &of)))
                .steps(&NEVER[1..])
                .size(8, 7),
            panel("Dead letters by reason", Unit::Events, "Messages that were given up on. Normal is 0. `order-worker redrive` publishes them again once the cause is fixed.")
                .query(query("{{topic}}: {{reason}}", rates("topic, reason", "dead_letters_total", &of)))
                .size(8, 7),
            panel("Revenue", Unit::Dollars, "Dollars of completed payments per second. Normal follows the orders.")
                .query(query("dollars per second", rates("", "revenue_dollars_total", &of)))
                .size(8, 7),
        ],
    )
}

fn queue_row() -> Row {
    let of = of(NAME);
    let links = || [to("orders-pipeline", "Orders pipeline")];
    row(
        "Dependency: the topics orders and order-outcomes",
        vec![
            panel("Consumer lag", Unit::Count, "Messages that have not been committed yet, by partition. Normal is near 0; one partition that grows alone is a poison message or a hot key.")
                .query(query("{{topic}}/{{partition}}", sum("topic, partition", &sel("kafka_consumer_lag", &of))))
                .links(links()),
            panel("Age of the oldest message", Unit::Seconds, "How long the oldest message has been waiting. Normal is below a second. More useful than lag: it has the unit of the objective.")
                .query(query("{{topic}}/{{partition}}", max("topic, partition", &sel("kafka_oldest_message_age_seconds", &of))))
                .steps(&[(Some(5.0), "red")])
                .links(links()),
            panel("Outbox", Unit::Count, "Outcomes that have not been published yet. Normal is near 0.")
                .query(query("entries", max("", &sel("outbox_entries", &of))))
                .links(links()),
            panel("Rebalances", Unit::Events, "How often partitions were assigned or revoked. Normal is 0 between deploys; a storm stops all work.")
                .query(query("{{group}}", rates("group", "kafka_rebalances_total", &of))),
        ],
    )
}
