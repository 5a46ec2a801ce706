//! The path of an order after its 202: outbox, topic, worker, topic, settled.

use super::shared::NEVER;
use crate::{
    link::{board as to, slow_traces_of},
    model::{Board, Kind, Panel, Row, Unit, folded, row},
    query::{max, quantile, quantiles, query, rate, rates, sel, sum},
};

pub(super) fn board() -> Board {
    Board {
        uid: "orders-pipeline",
        title: "Orders pipeline",
        description: "Every accepted order must be settled within seconds. The path of an order, from left to right; the stage after which the numbers fall is stuck.",
        jobs: r#"up{service=~"order-api|order-worker", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![flow_row(), waiting_row(), settle_row(), trouble_row(), money_row(), notifications_row()],
    }
}

const API: &str = r#"service="order-api""#;
const WORKER: &str = r#"service="order-worker""#;

fn flow_row() -> Row {
    let stage = |title, description, expr| {
        Panel::new(Kind::Stat, title, Unit::Events, description).query(query("per second", expr)).size(4, 5)
    };
    let orders = |outcome: &str| format!("{API}, topic=\"orders\", outcome=\"{outcome}\"");
    let outcomes = format!("{WORKER}, topic=\"order-outcomes\", outcome=\"ok\"");
    row(
        "Flow: orders per second at each stage",
        vec![
            stage(
                "1 Accepted",
                "Orders answered with 202. Normal follows the load.",
                rates("", "orders_accepted_total", API),
            ),
            stage(
                "2 Published",
                "Orders that the broker acknowledged. Normal equals the accepted ones.",
                rates("", "kafka_published_total", &orders("ok")),
            ),
            stage(
                "3 Handled",
                "Orders that the worker decided on. Normal equals the published ones.",
                rates("", "orders_processed_total", WORKER),
            ),
            stage(
                "4 Outcomes published",
                "Outcomes that the broker acknowledged. Normal equals the handled ones.",
                rates("", "kafka_published_total", &outcomes),
            ),
            stage(
                "5 Completed",
                "Orders settled as completed. Normal is most of the accepted ones.",
                rates("", "orders_settled_total", &format!("{API}, status=\"completed\"")),
            ),
            stage(
                "5 Rejected",
                "Orders settled as rejected: the payment was refused. Normal is a small share.",
                rates("", "orders_settled_total", &format!("{API}, status=\"rejected\"")),
            ),
        ],
    )
}

fn waiting_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(6, 8);
    row(
        "What is waiting, and for how long",
        vec![
            panel("Outbox entries", Unit::Count, "Open entries: unsettled orders in order-api, unpublished outcomes in order-worker. Normal is about a second's worth.")
                .query(query("{{service}}", max("service", &sel("outbox_entries", "")))),
            panel("Outbox: age of the oldest entry", Unit::Seconds, "Normal is below a second. In order-api this is how long a customer has been waiting.")
                .query(query("{{service}}", max("service", &sel("outbox_oldest_age_seconds", ""))))
                .steps(&[(Some(5.0), "red")]),
            panel("Queue lag", Unit::Count, "Messages that have not been committed, by topic and partition. Normal is near 0.")
                .query(query("{{topic}}/{{partition}}", sum("topic, partition", &sel("kafka_consumer_lag", "")))),
            panel("Queue: age of the oldest message", Unit::Seconds, "Normal is below a second. Lag counts messages, age is what a customer notices.")
                .query(query("{{topic}}/{{partition}}", max("topic, partition", &sel("kafka_oldest_message_age_seconds", ""))))
                .steps(&[(Some(5.0), "red")]),
        ],
    )
}

fn settle_row() -> Row {
    let mut settle = Panel::new(Kind::Lines, "Time to settle", Unit::Seconds, "From the 202 to the applied outcome. Normal is a p99 below a second. The objective is 99 % within the dashed 5 s. Only settled orders are counted: if nothing settles, look at the outbox's age.")
        .steps(&[(Some(5.0), "red")])
        .links([slow_traces_of("order-api"), slow_traces_of("order-worker")])
        .size(12, 8);
    for query in quantiles("order_settle_duration_seconds", API) {
        settle = settle.query(query);
    }
    let buckets = sum("le", &rate("order_settle_duration_seconds_bucket", API));
    row(
        "Time to settle",
        vec![
            settle.colour("p50", "green").colour("p95", "orange").colour("p99", "red"),
            Panel::new(Kind::Heatmap, "Distribution of the time to settle", Unit::Seconds, "Normal is one dark band near the bottom. A band at 15 s means orders that were published a second time.")
                .query(query("{{le}}", buckets).buckets())
                .size(12, 8),
        ],
    )
}

fn trouble_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(6, 7);
    row(
        "Trouble",
        vec![
            panel("Dead letters", Unit::Events, "Messages that were given up on, by topic and reason. Normal is 0.")
                .query(query("{{topic}}: {{reason}}", rates("topic, reason", "dead_letters_total", "")))
                .links([to("order-worker", "order-worker")]),
            panel("Retries", Unit::Events, "Attempts to handle a message that will be repeated. Normal is 0.")
                .query(query("{{topic}}", rates("topic", "kafka_retries_total", "")))
                .steps(&NEVER[1..]),
            panel("Published again", Unit::Events, "Orders that were published again because they were not settled in time. Normal is 0. The inbox makes this harmless.")
                .query(query("{{service}}", rates("service", "outbox_republished_total", "")))
                .steps(&NEVER[1..]),
            panel("Rebalances", Unit::Events, "How often partitions were assigned or revoked. Normal is 0 between deploys.")
                .query(query("{{group}}", rates("group", "kafka_rebalances_total", ""))),
            panel("Publish p95", Unit::Seconds, "Time to the broker's acknowledgement, by topic. Normal is a few milliseconds.")
                .query(query("{{topic}}", quantile(0.95, "topic", "kafka_publish_duration_seconds", ""))),
            panel("Handling p95", Unit::Seconds, "Duration of one attempt to handle a message, by topic. Normal is around ten milliseconds.")
                .query(query("{{topic}}", quantile(0.95, "topic", "kafka_process_duration_seconds", "")).exemplars()),
            panel("Publish attempts", Unit::Events, "Attempts of the relays, by whether the broker acknowledged them. Normal is ok only.")
                .query(query("{{service}} {{outcome}}", rates("service, outcome", "outbox_published_total", ""))),
            panel("Duplicates", Unit::Events, "Orders that arrived again and were recognised. Normal is 0, except after a restart or republishing.")
                .query(query("duplicates", rates("", "orders_processed_total", &format!("{WORKER}, status=\"duplicate\"")))),
        ],
    )
}

fn notifications_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(12, 7);
    let queues = r#"queue_name=~"email_queue|notification_queue|notification_dlq""#;
    folded(
        "Notifications to customers, with lab up --cloud",
        vec![
            panel("Notifications in queues", Unit::Count, "Messages in the queues of SQS, by queue. Normal is near 0; what is in the dead-letter queue stays there.")
                .query(query("{{queue_name}}", sum("queue_name", &sel("queue_size", queues)))),
            panel("Notifications", Unit::Events, "Notifications that were queued, delivered and refused by the provider. Normal is as many delivered as queued, and none refused.")
                .query(query("queued", rates("", "notifications_queued_total", "")))
                .query(query("delivered", rates("", "notifications_delivered_total", "")))
                .query(query("refused", rates("", "notifications_failed_total", "")))
                .colour("refused", "red"),
        ],
    )
}

fn money_row() -> Row {
    let panel = |title, unit, description| Panel::new(Kind::Lines, title, unit, description).size(8, 7);
    let mismatch = format!("{WORKER}, result=\"mismatch\"");
    let contradiction = format!("{API}, result=\"contradiction\"");
    row(
        "Money",
        vec![
            panel("Revenue", Unit::Dollars, "Dollars of completed payments per second. Normal follows the orders.")
                .query(query("dollars per second", rates("", "revenue_dollars_total", WORKER))),
            panel("Wrong totals", Unit::Events, "Orders whose total does not match their lines. Normal is 0. No request fails because of them.")
                .query(query("wrong", rates("", "order_totals_checked_total", &mismatch)))
                .steps(&NEVER[1..]),
            panel("Contradicting outcomes", Unit::Events, "Outcomes that differ from the one that was applied to their order. Normal is 0. One of the two is wrong; the payment shows which.")
                .query(query("contradicting", rates("", "order_outcomes_checked_total", &contradiction)))
                .steps(&NEVER[1..])
                .links([to("order-api", "order-api")]),
        ],
    )
}
