//! PostgreSQL, Redis and the broker, as their clients see them and as they see themselves; the broker only if it is
//! Redpanda.

use super::{
    servers,
    shared::{NEVER, database_panels, exported, panel},
    user_service::hit_ratio,
};
use crate::{
    link::board as to,
    model::{Board, Kind, Panel, Row, Unit, folded, row},
    query::{max, quantile, query, rates, sel, share, sum},
};

pub(super) fn board() -> Board {
    Board {
        uid: "data-stores",
        title: "Data stores",
        description: "PostgreSQL, Redis and the broker. What clients measure comes first: a healthy store that nobody can reach is down. Then what the servers say of themselves.",
        jobs: r#"up{job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            row("PostgreSQL, as its clients see it", database_panels("")),
            postgres_row(),
            servers::postgres_row(),
            servers::vacuum_row(),
            backups_row(),
            replica_row(),
            redis_row(),
            servers::redis_row(),
            servers::exporters_row(),
            broker_row(),
            redpanda_row(),
        ],
    }
}

fn postgres_row() -> Row {
    row(
        "PostgreSQL: work and connections",
        vec![
            Panel::new(Kind::Stack, "Statements", Unit::Operations, "Statements and transactions, by type. Normal follows the load.")
                .query(query("{{query_type}}", rates("query_type", "database_query_duration_seconds_count", "")))
                .size(8, 7),
            panel("Connections held", Unit::Count, "Connections that an operation holds, by database. Normal is one or two; if all are held, an outage is near.")
                .query(query("{{database}}", sum("database", &sel("database_connections_active", ""))))
                .size(8, 7),
            panel("Connections open and idle", Unit::Count, "Open connections that nobody holds, by database. Normal is more than 0; 0 for long means that the pool is exhausted.")
                .query(query("{{database}}", sum("database", &sel("database_connections_idle", ""))))
                .size(8, 7),
        ],
    )
}

fn backups_row() -> Row {
    let age = |metric: &str| format!("time() - max(({}) > 0)", sel(metric, ""));
    folded(
        "Backups, with lab up --backups",
        vec![
            panel("Age of the last verified restore", Unit::Seconds, "Time since a backup was restored into a scratch server and found good, and three times the time between two backups. Normal is a saw tooth far below the limit; above it nobody knows what a disaster would leave.")
                .query(exported("age", age("backup_last_verified_timestamp_seconds")))
                .query(exported("limit", format!("3 * {}", max("", &sel("backup_interval_seconds", "")))))
                .colour("limit", "red"),
            panel("Age of the archived log", Unit::Seconds, "How far the archived write-ahead log is behind the server: what a disaster would cost now; and half the time between two backups, at least a minute. Normal is below 5 s; above the limit the archive adds little to the backups.")
                .query(exported("age", age("backup_wal_archived_timestamp_seconds")))
                .query(exported("limit", format!("clamp_min({} / 2, 60)", max("", &sel("backup_interval_seconds", "")))))
                .colour("limit", "red"),
            panel("Duration of a restore", Unit::Seconds, "How long the last verified restore took, checks included: most of the time until orders are taken again. Normal is flat; it grows with the data.")
                .query(exported("restore", max("", &sel("backup_restore_seconds", "")))),
            panel("Size of the newest backup", Unit::Bytes, "Size of the newest backup, compressed and encrypted. Normal grows slowly with the data; a sudden drop means that something is missing.")
                .query(exported("backup", max("", &sel("backup_last_bytes", "")))),
        ],
    )
}

fn replica_row() -> Row {
    folded(
        "Replica, with lab up --replica",
        vec![
            panel("Age of the replica", Unit::Seconds, "By how many seconds a query on the replica is older than the primary. Normal is 0 or 1; it grows if the replica does not keep up, or does not receive.")
                .query(exported("age", max("", &sel("replica_lag_seconds", ""))))
                .size(8, 7),
            panel("Behind the primary", Unit::Bytes, "Write-ahead log that is not on the replica's disk: what a failover would lose now. Normal is a few kilobytes, and less than that with --replica sync.")
                .query(exported("behind", max("", &sel("replica_behind_bytes", ""))))
                .size(8, 7),
            panel("Receives the log", Unit::Count, "1 if the replica receives the write-ahead log, and 1 if commits wait for it. Normal is 1 for the first; the second depends on --replica. 0 for the first for long: it is lost.")
                .query(exported("streaming", max("", &sel("replica_streaming", ""))))
                .query(exported("synchronous", max("", &sel("replica_synchronous", ""))))
                .size(8, 7),
        ],
    )
}

fn redis_row() -> Row {
    let links = || [to("user-service", "user-service")];
    row(
        "Redis, as user-service sees it",
        vec![
            panel(
                "Hit ratio",
                Unit::Ratio,
                "Share of the look-ups that found a fresh entry. Normal is above 80 % once warm.",
            )
            .query(query("{{cache_type}}", hit_ratio("")))
            .range(0.0, 1.0)
            .links(links()),
            Panel::new(
                Kind::Stack,
                "Operations",
                Unit::Operations,
                "Cache operations, by kind. Normal is one read per request and a few writes.",
            )
            .query(query("{{operation}}", rates("operation", "cache_operation_duration_seconds_count", "")))
            .size(6, 7),
            panel(
                "Operation p95",
                Unit::Seconds,
                "Duration of cache operations, failed ones included. Normal is below a millisecond.",
            )
            .query(query(
                "{{operation}}",
                quantile(0.95, "operation", "cache_operation_duration_seconds", ""),
            )),
            panel(
                "Errors",
                Unit::Operations,
                "Operations that failed or took longer than their deadline. Normal is 0.",
            )
            .query(query("{{operation}}", rates("operation", "cache_errors_total", "")))
            .steps(&NEVER[1..])
            .links(links()),
        ],
    )
}

fn broker_row() -> Row {
    let links = || [to("orders-pipeline", "Orders pipeline")];
    row(
        "Kafka, as its clients see it",
        vec![
            Panel::new(
                Kind::Stack,
                "Messages in",
                Unit::Events,
                "Messages that the broker acknowledged, by topic. Normal follows the orders.",
            )
            .query(query("{{topic}}", rates("topic", "kafka_published_total", r#"outcome="ok""#)))
            .size(6, 7)
            .links(links()),
            Panel::new(
                Kind::Stack,
                "Messages out",
                Unit::Events,
                "Messages that consumers decided on, by topic. Normal equals the messages in.",
            )
            .query(query("{{topic}}", rates("topic", "kafka_consumed_total", "")))
            .size(6, 7)
            .links(links()),
            panel(
                "Publish failures",
                Unit::Ratio,
                "Share of the publish attempts that failed, by topic. Normal is 0.",
            )
            .query(query("{{topic}}", share("topic", "kafka_published_total", r#"outcome="error""#, "")))
            .steps(&NEVER[1..]),
            panel(
                "Messages waiting",
                Unit::Count,
                "Lag of each topic over all partitions. Normal is near 0.",
            )
            .query(query("{{queue_name}}", sum("queue_name", &sel("queue_size", ""))))
            .links(links()),
        ],
    )
}

/// Names of Redpanda's `/public_metrics`.
fn redpanda_row() -> Row {
    let latency = quantile(0.99, "redpanda_request", "redpanda_kafka_request_latency_seconds", "");
    let used = format!(
        "1 - {}\n/\n{}",
        sel("redpanda_storage_disk_free_bytes", ""),
        sel("redpanda_storage_disk_total_bytes", "")
    );
    folded(
        "Redpanda's own view (compose and Kubernetes)",
        vec![
            panel("Request p99 in the broker", Unit::Seconds, "Latency of produce and fetch requests inside the broker. Normal is a few milliseconds; clients that see much more have a network problem.")
                .query(exported("{{redpanda_request}}", latency)),
            panel("Bytes", Unit::BytesRate, "Bytes of produce and consume requests. Normal follows the orders.")
                .query(exported("{{redpanda_request}}", rates("redpanda_request", "redpanda_kafka_request_bytes_total", ""))),
            panel("Under-replicated replicas", Unit::Count, "Replicas that are behind. Normal is 0; with one broker it is always 0.")
                .query(exported("{{redpanda_topic}}", max("redpanda_topic", &sel("redpanda_kafka_under_replicated_replicas", ""))))
                .steps(&NEVER[1..]),
            panel("Disk in use", Unit::Ratio, "Share of the broker's disk. Normal is flat below the retention.")
                .query(exported("{{instance}}", used))
                .range(0.0, 1.0),
        ],
    )
}
