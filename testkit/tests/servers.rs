//! The servers work, and nothing that a test starts outlives its process.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::Connection;
use testkit::{ChaosProxy, Kafka, Postgres, Redis, eventually, needs};

const SOON: Duration = Duration::from_secs(10);

testkit::broker!();

#[tokio::test]
async fn every_test_gets_its_own_database() {
    needs!(Postgres);
    let server = Postgres::shared().await;
    let (one, two) = (server.database("users").await, server.database("users").await);
    assert_ne!(one, two);
    let mut connection = sqlx::PgConnection::connect(&one).await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (id int)").execute(&mut connection).await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&two).await.unwrap();
    assert!(sqlx::raw_sql("SELECT * FROM t").execute(&mut connection).await.is_err());
}

#[tokio::test]
async fn redis_dies_and_comes_back_on_the_same_port() {
    needs!(Redis);
    let mut redis = Redis::start().await;
    assert_eq!(redis.command("SET a 1").await, "+OK\r\n");
    redis.kill();
    assert!(tokio::net::TcpStream::connect(redis.addr()).await.is_err());
    redis.restart().await;
    assert_eq!(redis.command("GET a").await, "$-1\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_survives_an_outage_of_the_broker() {
    needs!(Kafka);
    survives_an_outage(&Kafka::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_kafka_keeps_its_log_when_it_is_killed() {
    needs!(ApacheKafka);
    survives_an_outage(&Kafka::apache()).await;
}

async fn survives_an_outage(kafka: &Kafka) {
    kafka.publish("orders", "k", b"one", &[("traceparent", "x")]).await;
    kafka.down();
    kafka.up();
    kafka.publish("orders", "k", b"two", &[]).await;
    let records = kafka.read("orders", 2, SOON).await;
    let bodies: Vec<_> = records.iter().map(|record| record.payload.as_slice()).collect();
    assert_eq!(bodies, [b"one", b"two"]);
    assert_eq!(records[0].headers["traceparent"], "x");
    assert_eq!(records[0].key.as_deref(), Some("k"));
}

#[tokio::test]
async fn the_proxy_cuts_swallows_delays_and_restores() {
    needs!(Redis);
    let redis = Redis::start().await;
    let proxy = ChaosProxy::to(redis.addr()).await;
    assert_eq!(proxy.rewrite("postgres://u@1.2.3.4:5/db"), format!("postgres://u@{}/db", proxy.addr()));
    let ping = || async { ping(proxy.addr()).await };
    assert!(ping().await.unwrap());
    proxy.cut();
    assert!(ping().await.is_err() || !ping().await.unwrap());
    proxy.blackhole();
    assert!(tokio::time::timeout(Duration::from_millis(200), ping()).await.is_err());
    proxy.delay(Duration::from_millis(50));
    let start = std::time::Instant::now();
    assert!(ping().await.unwrap());
    assert!(start.elapsed() >= Duration::from_millis(100), "50 ms each way");
    proxy.restore();
    assert!(ping().await.unwrap());
}

async fn ping(addr: std::net::SocketAddr) -> std::io::Result<bool> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut reply = [0; 7];
    Ok(stream.read(&mut reply).await? == 7)
}

/// The other half of the next test: starts servers, prints their pids, and waits to be killed.
#[tokio::test]
#[ignore = "run by no_server_survives_a_killed_test_process"]
async fn starts_servers_and_waits() {
    let postgres = Postgres::start().await;
    let (redis, kafka) = (Redis::start().await, Kafka::start());
    let mut stdout = std::io::stdout();
    let pids = [postgres.pid(), redis.pid().unwrap(), kafka.pid().unwrap()].map(|pid| pid.to_string());
    writeln!(stdout, "\npids {}", pids.join(" ")).unwrap();
    stdout.flush().unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn no_server_survives_a_killed_test_process() {
    needs!(Postgres, Redis, Kafka);
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "starts_servers_and_waits", "--ignored", "--nocapture"])
        .env("TMPDIR", temp.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("pids ")).expect("the servers start");
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(SOON, || async {
        let pids = line.split(' ').skip(1);
        let alive: Vec<_> = pids.filter(|pid| Path::new("/proc").join(pid).exists()).collect();
        let folders = std::fs::read_dir(temp.path()).unwrap().count();
        let gone = alive.is_empty() && folders == 0;
        gone.then_some(()).ok_or_else(|| format!("alive: {alive:?}, folders: {folders}"))
    })
    .await;
}

/// The other half of the next test: its broker dies of what an assertion ends in.
#[tokio::test]
#[ignore = "run by a_broker_that_dies_is_named_and_takes_no_test_along"]
async fn has_a_broker_that_dies() {
    let kafka = Kafka::start();
    let pid = kafka.pid().unwrap().to_string();
    assert!(Command::new("kill").args(["-ABRT", &pid]).status().unwrap().success());
    let broker = kafka.brokers();
    eventually(SOON, || async {
        tokio::net::TcpStream::connect(broker).await.map_or(Ok(()), |_| Err("still there".to_owned()))
    })
    .await;
}

#[test]
fn a_broker_that_dies_is_named_and_takes_no_test_along() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "has_a_broker_that_dies", "--ignored"])
        .env_remove("TEST_KAFKA")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("BROKER DIED, which has_a_broker_that_dies started"), "{said}");
    assert!(said.contains("BROKER DIED: running 1 test"), "its last words: {said}");
}
