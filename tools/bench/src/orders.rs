//! Orders per second, compared with `pgbench` running an equivalent transaction on the same PostgreSQL: the same
//! two rows with the same sizes and indexes, as many connections as order-api's pool, prepared statements.
//!
//! Two figures. **Accepted**: the whole path of `POST /orders` (HTTP, user check over HTTP and Redis, order and
//! outbox in one transaction, response, publishing), while order-worker is paused and orders wait in the topic.
//! pgbench's two inserts are equivalent to this. **Settled meanwhile**: the same while order-worker and the outcomes use the
//! same cores; pgbench has no equivalent, so less is required.
//!
//! The runs are interleaved, and each waits until the pipeline has drained.

use std::{io::Write as _, net::SocketAddr, process::Command, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    client::hammer,
    lab::Lab,
    report::{self, Bars},
};

/// Keep-alive connections that place orders.
const CONNECTIONS: usize = 64;
/// Sessions of pgbench: `DB_POOL_SIZE` of order-api.
const SESSIONS: &str = "10";
/// Required of accepted orders, and of orders that are also settled meanwhile, as a part of pgbench's transactions.
const BARS: (f64, f64) = (0.90, 0.60);
/// Longest wait for the pipeline to drain between runs.
const DRAIN: Duration = Duration::from_secs(120);
/// Room for the orders that wait while order-worker is paused: a partition of the lab's broker keeps 5 MiB.
const TOPICS: (&str, &str) =
    ("KAFKA_TOPICS", "orders:12,orders.dlq:1,order-outcomes:12,order-outcomes.dlq:1");
/// Users that exist (`contracts::users::seeded_user_id`).
const USERS: u64 = 10_000;

const SCHEMA: &str = include_str!("../pgbench/schema.sql");
const TRANSACTION: &str = include_str!("../pgbench/two-inserts.sql");

/// Runs both sides in turn and prints their ratio.
pub(crate) async fn run(time: Duration, rounds: usize, bars: &mut Bars) -> anyhow::Result<()> {
    println!("orders: accepted orders against pgbench's two-insert transactions, same PostgreSQL");
    let lab = Lab::up_with(&["--no-load", "--trace-ratio", "0.01"], &[TOPICS])?;
    let api = SocketAddr::from(([127, 0, 0, 1], lab.port("order-api")?));
    psql(&lab, SCHEMA)?;
    place(api, Duration::from_secs(2)).await?;
    drain(&lab).await?;
    let (mut accepted, mut settled, mut pgbench) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        lab.run(&["break", "order-worker", "consumer-pause", "ttl=5m"])?;
        accepted.push(place(api, time).await?);
        lab.run(&["fix", "order-worker"])?;
        drain(&lab).await?;
        settled.push(place(api, time).await?);
        drain(&lab).await?;
        pgbench.push(transactions(&lab, time)?);
        let n = round - 1;
        println!(
            "  round {round}: accepted {:>6.0}/s  settled meanwhile {:>6.0}/s  pgbench {:>6.0}/s",
            accepted[n], settled[n], pgbench[n]
        );
    }
    let [accepted, settled, pgbench] = [accepted, settled, pgbench].map(|mut runs| report::median(&mut runs));
    println!(
        "  median:  accepted {accepted:>6.0}/s  settled meanwhile {settled:>6.0}/s  pgbench {pgbench:>6.0}/s"
    );
    bars.note("accepted orders per second", accepted);
    bars.note("orders per second that are settled meanwhile", settled);
    bars.note("transactions of pgbench per second", pgbench);
    bars.check("accepted / pgbench", accepted / pgbench, BARS.0, true);
    bars.check("settled meanwhile / pgbench", settled / pgbench, BARS.1, true);
    Ok(())
}

/// Accepted orders per second over keep-alive connections.
async fn place(api: SocketAddr, time: Duration) -> anyhow::Result<f64> {
    let rate = hammer(api, CONNECTIONS, time, |connection, n, out| {
        let user = (connection as u64 * 7919 + n * 104_729) % USERS;
        let body = format!(
            "{{\"user_id\":\"01900000-0000-7000-8000-{user:012x}\",\"items\":[\
             {{\"sku\":\"SKU-{}\",\"quantity\":2,\"unit_price_cents\":1999}},\
             {{\"sku\":\"SKU-{}\",\"quantity\":1,\"unit_price_cents\":549}}]}}",
            n % 500,
            (n * 7) % 500
        );
        let head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        // Writing to a vector cannot fail.
        let _ = write!(out, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
    })
    .await?;
    ensure!(
        rate.other * 1000 < rate.ok,
        "{} of {} orders were not accepted",
        rate.other,
        rate.ok + rate.other
    );
    Ok(rate.per_second())
}

/// Waits until every accepted order is settled, so that every run starts from the same state.
async fn drain(lab: &Lab) -> anyhow::Result<()> {
    let waited = tokio::time::timeout(DRAIN, async {
        while psql(lab, "SELECT count(*) FROM outbox")?.trim() != "0" {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        anyhow::Ok(())
    });
    waited.await.context("the pipeline did not drain")?
}

fn psql(lab: &Lab, sql: &str) -> anyhow::Result<String> {
    let output = lab.run(&["psql", "orders", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql])?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Transactions per second of pgbench.
fn transactions(lab: &Lab, time: Duration) -> anyhow::Result<f64> {
    let script = std::env::temp_dir().join(format!("two-inserts-{}.sql", std::process::id()));
    std::fs::write(&script, TRANSACTION)?;
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", SESSIONS, "-j", "2", "-T", &time.as_secs().to_string()])
        .args(["-h", "127.0.0.1", "-p", &lab.port("postgres")?.to_string(), "-U", "lab", "-f"])
        .arg(&script)
        .arg("orders")
        .env("PGPASSFILE", lab.pass_file())
        .output()
        .context("starting pgbench")?;
    std::fs::remove_file(&script)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    tps.with_context(|| format!("pgbench said: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
