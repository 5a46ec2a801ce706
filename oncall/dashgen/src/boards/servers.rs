//! PostgreSQL and Redis as they see themselves, and whether anybody asks them: rows of the data stores, from
//! postgres_exporter and redis_exporter.
//! Only names and labels that all versions of them have, from Debian 12's on.

use super::shared::{NEVER, exported, panel};
use crate::{
    link::board as to,
    model::{Kind, Panel, Row, Step, Unit, row},
    query::{max, min, rate, rates, sel, sum},
};

/// The exporters, by their names in every mode: those that the alert ExporterDown watches.
const EXPORTERS: &str = r#"job=~"(postgres|redis|node)(-exporter)?""#;
/// Databases of services; the others are PostgreSQL's own.
const DATABASES: &str = r#"datname!~"|postgres|template.+""#;
/// Sessions that do something, or keep others from doing it.
const STATES: &str = r#"state=~"active|idle|idle in transaction.*""#;
/// Colours of the age of a transaction: a service's statement ends after 10 s.
const OLD: &[Step] = &[(Some(10.0), "orange"), (Some(60.0), "red")];

/// Increase over the shortest window that has two samples.
fn increase(metric: &str, matchers: &str) -> String {
    format!("increase({}[$__rate_interval])", sel(metric, matchers))
}

fn cache_hits() -> String {
    let (hit, read) =
        (rate("pg_stat_database_blks_hit", DATABASES), rate("pg_stat_database_blks_read", DATABASES));
    format!("sum by (datname) ({hit})\n/\n(sum by (datname) ({hit}) + sum by (datname) ({read}))")
}

pub(super) fn postgres_row() -> Row {
    let busy = format!("{DATABASES}, state!=\"idle\"");
    let oldest = max("datname, state", &sel("pg_stat_activity_max_tx_duration", &busy));
    row(
        "PostgreSQL, as the server sees itself",
        vec![
            panel("Sessions", Unit::Count, "Sessions by state, and the server's limit. Normal is mostly idle, far below the limit; sessions that stay idle in a transaction keep locks and old rows.")
                .query(exported("{{state}}", sum("state", &sel("pg_stat_activity_count", STATES))))
                .query(exported("limit", max("", &sel("pg_settings_max_connections", ""))))
                .colour("limit", "red"),
            panel("Transactions", Unit::Operations, "Transactions that ended, by database. Normal follows the load, with few rolled back.")
                .query(exported("{{datname}}", rates("datname", "pg_stat_database_xact_commit", DATABASES)))
                .query(exported("{{datname}} rolled back", rates("datname", "pg_stat_database_xact_rollback", DATABASES))),
            panel("Longest transaction", Unit::Seconds, "Age of the oldest open transaction, by database and state of its session. Normal is below a second; one that only grows holds its locks, and keeps old rows from being removed.")
                .query(exported("{{datname}} {{state}}", oldest))
                .steps(OLD)
                .links([to("order-api", "order-api"), to("order-worker", "order-worker")]),
            panel("Deadlocks", Unit::Count, "Transactions that the server ended because they waited for each other. Normal is 0.")
                .query(exported("{{datname}}", sum("datname", &increase("pg_stat_database_deadlocks", DATABASES))))
                .steps(&NEVER[1..]),
            panel("Locks", Unit::Count, "Locks that are held or waited for, by mode. Normal is shares and row locks that follow the load; an accessexclusivelock that stays stops every other use of its table.")
                .query(exported("{{mode}}", sum("mode", &sel("pg_locks_count", DATABASES))))
                .colour("accessexclusivelock", "red"),
            panel("Blocks from the server's buffers", Unit::Ratio, "Share of the blocks that were in the server's own buffers. Normal is above 95 %; less means that the data in use are larger than the buffers.")
                .query(exported("{{datname}}", cache_hits()))
                .range(0.0, 1.0),
            panel("Size of the databases", Unit::Bytes, "Size on disk, by database. Normal grows slowly, with the orders.")
                .query(exported("{{datname}}", sum("datname", &sel("pg_database_size_bytes", DATABASES)))),
            panel("Write-ahead log", Unit::Bytes, "Size of the write-ahead log on disk. Normal is flat: segments are reused after each checkpoint; growth means that something still needs old ones.")
                .query(exported("log", sum("", &sel("pg_wal_size_bytes", "")))),
        ],
    )
}

/// Colours of dead rows, in multiples of the number from which a table is cleaned: PostgresVacuumBehind fires above 2.
const BEHIND: &[Step] = &[(Some(1.0), "orange"), (Some(2.0), "red")];

pub(super) fn vacuum_row() -> Row {
    let by_table = |metric: &str| max("datname, relname", &sel(metric, ""));
    let behind =
        format!("{}\n/\n{}", by_table("pg_stat_user_tables_n_dead_tup"), by_table("pg_autovacuum_due_tup"));
    row(
        "PostgreSQL: vacuum",
        vec![
            panel("Dead rows", Unit::Count, "Rows that were changed or removed and are not cleaned up yet, by table. Normal is a saw tooth; a line that only rises is a table that grows although its rows do not.")
                .query(exported("{{datname}} {{relname}}", by_table("pg_stat_user_tables_n_dead_tup"))),
            panel("Dead rows, in multiples of what is cleaned", Unit::Plain, "Dead rows, divided by the number from which autovacuum cleans the table. Normal is below 1, and for a minute a little above; above 2 for longer, a visit of autovacuum has removed nothing. Small tables get there with a few hundred rows, which harm nobody.")
                .query(exported("{{datname}} {{relname}}", behind))
                .steps(BEHIND),
            panel("What vacuum has to leave", Unit::Count, "Transactions since the oldest one whose removed rows have to stay, by what holds it. Normal is near 0; a line that only rises is a forgotten transaction, a replica that asks for old rows, or a slot that nobody reads.")
                .query(exported("{{holder}}", max("holder", &sel("pg_vacuum_horizon_age", ""))))
                .links([to("order-api", "order-api"), to("order-worker", "order-worker")]),
            panel("Age of the oldest transaction", Unit::Count, "Transactions since the oldest one that is not frozen, by database, and the age from which vacuum freezes a table whatever else is set. Normal is far below the limit; at about ten times the limit, PostgreSQL refuses writes.")
                .query(exported("{{datname}}", max("datname", &sel("pg_database_xid_age", DATABASES))))
                .query(exported("limit", max("", &sel("pg_settings_autovacuum_freeze_max_age", ""))))
                .colour("limit", "red"),
        ],
    )
}

pub(super) fn redis_row() -> Row {
    let busy = rates("cmd", "redis_commands_duration_seconds_total", "");
    row(
        "Redis, as the server sees itself",
        vec![
            panel("Memory of Redis", Unit::Bytes, "Memory in use, and the limit. Normal is flat below the limit; at the limit, each new key evicts another.")
                .query(exported("used", sum("", &sel("redis_memory_used_bytes", ""))))
                .query(exported("limit", sum("", &sel("redis_memory_max_bytes", ""))))
                .colour("limit", "red")
                .links([to("user-service", "user-service")]),
            panel("Keys", Unit::Count, "Keys, and those with a time to live. Normal is two equal lines: a cache whose keys do not expire only grows.")
                .query(exported("keys", sum("", &sel("redis_db_keys", ""))))
                .query(exported("expiring", sum("", &sel("redis_db_keys_expiring", "")))),
            panel("Keys removed", Unit::Events, "Keys that expired, and keys that were evicted because memory was full. Normal is no eviction.")
                .query(exported("expired", rates("", "redis_expired_keys_total", "")))
                .query(exported("evicted", rates("", "redis_evicted_keys_total", "")))
                .colour("evicted", "red"),
            panel("Look-ups of keys", Unit::Operations, "Look-ups that found a key and those that did not, from all clients. Normal follows the hit ratio above; many more hits than user-service counts are somebody else's.")
                .query(exported("hits", rates("", "redis_keyspace_hits_total", "")))
                .query(exported("misses", rates("", "redis_keyspace_misses_total", "")))
                .colour("hits", "green")
                .colour("misses", "orange"),
            panel("Commands", Unit::Operations, "Commands, by name. Normal follows the load; one command that rises alone is a loop or a hot key.")
                .query(exported("{{cmd}}", rates("cmd", "redis_commands_total", ""))),
            panel("Time in commands", Unit::Ratio, "Share of its one thread that each command takes. Normal is a few per cent; near 100 % every client waits.")
                .query(exported("{{cmd}}", busy)),
            panel("Bytes in and out", Unit::BytesRate, "Bytes that clients sent and received. Normal follows the commands; bytes that rise faster are large values.")
                .query(exported("in", rates("", "redis_net_input_bytes_total", "")))
                .query(exported("out", rates("", "redis_net_output_bytes_total", ""))),
            panel("Clients", Unit::Count, "Connected clients, and those that wait in a blocking command. Normal is a handful, and none that waits.")
                .query(exported("connected", sum("", &sel("redis_connected_clients", ""))))
                .query(exported("waiting", sum("", &sel("redis_blocked_clients", "")))),
            Panel::new(Kind::Stat, "Slow log", Unit::Count, "Commands in the slow log (10 ms and longer; it keeps the newest 128), and how long the newest took. Normal is 0.")
                .query(exported("commands", max("", &sel("redis_slowlog_length", ""))))
                .query(exported("newest", max("", &sel("redis_last_slow_execution_duration_seconds", ""))))
                .special("newest", Unit::Seconds, &[])
                .size(24, 4),
        ],
    )
}

/// What the other rows rely on: an exporter that is gone leaves them empty, and their alerts silent.
pub(super) fn exporters_row() -> Row {
    row(
        "Exporters",
        vec![
            Panel::new(Kind::Stat, "Exporters and their servers", Unit::Count, "Whether each exporter can be scraped, and whether those of PostgreSQL and Redis reach their servers. Normal is up. What is down is not measured: its panels are empty or stand still, its alerts are silent, and ExporterDown fires.")
                .query(exported("{{service}}", min("service", &sel("up", EXPORTERS))))
                .query(exported("PostgreSQL, by its exporter", min("", &sel("pg_up", ""))))
                .query(exported("Redis, by its exporter", min("", &sel("redis_up", ""))))
                .words(&[(0.0, "down", "red"), (1.0, "up", "green")])
                .size(24, 4),
        ],
    )
}
