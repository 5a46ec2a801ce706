//! What the exporters say of PostgreSQL, Redis and the host, that faults of the stores show there, and what they may do.
//! Parts of tests of `faults` and `strangers`, whose labs they use.

use std::time::Duration;

use testkit::{Need, available};
use tokio::{io::AsyncReadExt as _, net::TcpListener, time::timeout};

use crate::{
    lab::{BACK, Lab, eventually, text},
    strangers::{logged_in, psql, said, secret},
};

/// An exporter is scraped every five seconds, and a rate needs two scrapes.
const SEEN: Duration = Duration::from_secs(60);

/// What holds in every lab.
const ALWAYS: &[&str] = &[
    "count(up{job=~\"node-exporter|postgres-exporter|redis-exporter\"} == 1) == 3",
    "pg_up == 1",
    "redis_up == 1",
    "count(pg_stat_database_xact_commit{datname=~\"orders|users|fulfillment\"}) == 3",
    "pg_settings_max_connections == 100",
    "pg_wal_size_bytes > 0",
    "count(count by (datname) (pg_stat_user_tables_n_dead_tup)) == 3",
    "pg_autovacuum_due_tup{datname=\"orders\", relname=\"outbox\"} == 5000",
    "count(pg_vacuum_horizon_age) == 3",
    "pg_database_xid_age{datname=\"orders\"} < scalar(max(pg_settings_autovacuum_freeze_max_age))",
    "redis_memory_max_bytes == 64 * 1024 * 1024",
    "node_filesystem_avail_bytes > 0",
    "node_memory_MemAvailable_bytes > 0",
];

/// A fault of a service, and a query that has a result while it is on, but not before.
const SHOWN: &[(&str, &[&str], &str)] = &[
    (
        "user-service",
        &["cache-growth", "size=40MiB", "step=4MiB"],
        "redis_memory_used_bytes > 36 * 1024 * 1024",
    ),
    (
        "user-service",
        &["cache-hot-key", "rps=500", "size=16KiB"],
        "rate(redis_commands_processed_total[15s]) > 250 and rate(redis_net_output_bytes_total[15s]) > 3e6",
    ),
    (
        "order-api",
        &["db-lock", "hold=20s"],
        "max(pg_locks_count{datname=\"orders\", mode=\"accessexclusivelock\"}) > 0 and \
         max(pg_stat_activity_max_tx_duration{datname=\"orders\", state=\"idle in transaction\"}) > 3",
    ),
    (
        "order-worker",
        &["db-deadlock", "rate=0.5"],
        "increase(pg_stat_database_deadlocks{datname=\"fulfillment\"}[30s]) > 0",
    ),
];

/// Waits until the query has a result, or has none.
async fn until(lab: &Lab, query: &str, some: bool) {
    eventually(SEEN, || async {
        let answer = lab.query(query).await;
        if answer.is_empty() == some { Err(format!("{query}: {answer:?}")) } else { Ok(()) }
    })
    .await;
}

/// The three targets are up, and each fault moves what its real cause would.
pub(crate) async fn show_what_happens_in_the_stores(lab: &Lab) {
    if !available(&[Need::Exporters]) {
        return;
    }
    assert_eq!(lab.status()["unmeasured"], serde_json::json!([]), "everything is measured");
    for query in ALWAYS {
        until(lab, query, true).await;
    }
    for (service, fault, query) in SHOWN {
        until(lab, query, false).await;
        lab.ok(&[&["break", *service][..], *fault, &["ttl=2m"]].concat());
        until(lab, query, true).await;
        lab.ok(&["fix", *service]);
    }
}

/// The accounts of the exporters, which exist whether those are installed or not.
pub(crate) async fn only_read_statistics(lab: &Lab) {
    let (port, password) = (lab.port("postgres", "postgres"), secret(lab, "postgres-exporter"));
    let url = |database: &str| format!("postgres://exporter:{password}@127.0.0.1:{port}/{database}");
    for (database, sql, may) in [
        ("postgres", "select count(*) from pg_stat_activity", true),
        ("postgres", "select sum(size) from pg_ls_waldir()", true),
        ("postgres", "select pg_read_file('/etc/passwd')", false),
        ("postgres", "copy (select 1) to program 'true'", false),
        ("postgres", "create role more superuser", false),
        ("postgres", "alter system set log_min_messages = 'panic'", false),
        ("orders", "select count(*) from pg_stat_user_tables", true),
        ("orders", "select count(*) from orders", false),
    ] {
        let output = psql(&url(database), sql);
        assert_eq!(output.status.success(), may, "{sql}: {}", said(&output));
    }
    let password = secret(lab, "redis-exporter");
    assert!(logged_in(lab, "exporter", &password, "INFO server").starts_with('$'), "it may read statistics");
    for command in
        ["GET x", "SET x y", "KEYS *", "SCAN 0", "CONFIG SET dir /tmp", "FLUSHALL", "MONITOR", "EVAL x 0"]
    {
        let answer = logged_in(lab, "exporter", &password, command);
        assert!(answer.starts_with("-NOPERM"), "{command}: {answer}");
    }
    if lab.port_if_any("redis-exporter").is_some() {
        log_in_only_at_redis(lab, &password).await;
    }
}

/// redis_exporter connects to whatever address it is asked to scrape.
async fn log_in_only_at_redis(lab: &Lab, password: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let target = format!("redis://{}", listener.local_addr().expect("an address"));
    let url = format!("http://127.0.0.1:{}/scrape", lab.named_port("redis-exporter"));
    let asked = tokio::spawn(reqwest::Client::new().get(url).query(&[("target", target)]).send());
    let heard = timeout(BACK, async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = vec![0; 1024];
        let length = stream.read(&mut bytes).await.expect("a command");
        text(&bytes[..length])
    });
    let heard = heard.await.expect("the exporter connects");
    asked.abort();
    assert!(!heard.is_empty() && !heard.contains("AUTH") && !heard.contains(password), "{heard}");
}
