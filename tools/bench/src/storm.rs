//! The control room of the image at rest with its page open, and under a storm of alerts: 5,000 in a minute from 20
//! groups, sent as Alertmanager sends them, while somebody uses its API.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use crate::{client::Connection, report::Bars};

const GROUPS: usize = 20;
const ALERTS: usize = 5_000;
/// Messages of a group; each repeats the alerts of those before it.
const ROUNDS: usize = 10;
const LENGTH: Duration = Duration::from_secs(60);
/// Between two questions of the user.
const THINKS: Duration = Duration::from_millis(50);
/// Time until memory is read after the storm.
const SETTLE: Duration = Duration::from_secs(5);
const STARTUP: Duration = Duration::from_secs(10);
/// Required figures of the design, in milliseconds and MiB.
const REST_MIB: f64 = 25.0;
const P95_MS: f64 = 100.0;
const MIB: f64 = 40.0;
/// How often an open page asks again before memory is read, and how long it waits in between.
const REFRESHES: u32 = 10;
const REFRESH: Duration = Duration::from_millis(500);
/// Two pairs of neighbours; a group is about one of them.
const SERVICES: [&str; 4] = ["edge", "order-api", "billing", "ledger"];
/// Nothing listens here: what it watches is away.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A control room in its own folder; stopped and removed when dropped.
struct Room {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Room {
    async fn start() -> anyhow::Result<Self> {
        let me = std::env::current_exe()?;
        let folder = me.with_file_name("bench-storm");
        let (public, admin) = (free().await?, free().await?);
        let child = Command::new(me.with_file_name("../small/control-room"))
            .args(["--public-addr", &public.to_string(), "--admin-addr", &admin.to_string()])
            .args([
                "--calls",
                "edge>order-api,billing>ledger",
                "--clock",
                "production",
                "--log-level",
                "warn",
            ])
            .args(["--prometheus-url", NOWHERE, "--alertmanager-url", NOWHERE, "--traces-url", NOWHERE])
            .arg("--file")
            .arg(folder.join("room.db"))
            // As `lab up` starts it.
            .envs([
                ("MIMALLOC_PURGE_DELAY", "0"),
                ("MALLOC_ARENA_MAX", "1"),
                ("MALLOC_TRIM_THRESHOLD_", "65536"),
            ])
            .stdout(Stdio::null())
            .spawn()
            .context("../small/control-room, which tools/small.sh builds")?;
        let room = Self { child, address: public, folder };
        let deadline = Instant::now() + STARTUP;
        while room.ask("GET", "/api/v1/oncall", "").await.is_err() {
            ensure!(Instant::now() < deadline, "the control room does not answer within {STARTUP:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(room)
    }

    /// One request on its own connection.
    async fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<()> {
        let (address, length) = (self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let status = Connection::open(address).await?.call(request.as_bytes()).await?;
        if (200..300).contains(&status) { Ok(()) } else { bail!("{method} {path}: {status}") }
    }

    /// Opens the first page as a browser does: the stream of events, which is open until what is returned is dropped, and
    /// the page again and again.
    async fn open_page(&self) -> anyhow::Result<TcpStream> {
        let events = self.get("/api/v1/events").await?;
        for _ in 0..REFRESHES {
            let mut page = self.get("/").await?;
            let length = tokio::io::copy(&mut page, &mut tokio::io::sink()).await?;
            ensure!(length > 1_000, "the first page has {length} bytes");
            tokio::time::sleep(REFRESH).await;
        }
        Ok(events)
    }

    /// Sends a request on a connection of its own, which ends with the response.
    async fn get(&self, path: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await?;
        Ok(stream)
    }

    /// Resident memory in MiB: `VmRSS`, or the part of it that is in no file, `RssAnon`.
    fn memory(&self, which: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(which)?.strip_prefix(':'))
            .with_context(|| which.to_owned())?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?)
}

/// What a group sends in its n-th message.
fn message(group: usize, round: usize) -> String {
    let (service, name) = (SERVICES[group % SERVICES.len()], format!("Alert{}", group / SERVICES.len()));
    let alerts = (0..ALERTS / GROUPS / ROUNDS * (round + 1)).map(|number| {
        json!({
            "status": "firing", "fingerprint": format!("{group:04x}{number:012x}"),
            "startsAt": "2026-06-01T12:00:00.123Z", "endsAt": "0001-01-01T00:00:00Z",
            "labels": {
                "alertname": name, "service": service, "severity": "page", "namespace": "shop",
                "instance": format!("10.0.{group}.{number}:9101"), "pod": format!("{service}-7d4b9c-{number:05}"),
            },
            "annotations": { "summary": format!("{service} answers {name} more often than its objective allows") },
        })
    });
    let alerts: Vec<_> = alerts.collect();
    json!({ "version": "4", "status": "firing", "receiver": "room", "alerts": alerts }).to_string()
}

/// Prints the memory with an open page, the latency of the API during the storm, and the memory after it.
pub(crate) async fn run(bars: &mut Bars) -> anyhow::Result<()> {
    println!("storm: {ALERTS} alerts of {GROUPS} groups within {} s", LENGTH.as_secs());
    let room = Room::start().await?;
    let page = room.open_page().await?;
    println!("  at rest, its page open: {:.1} MiB of its own, without its program", room.memory("RssAnon")?);
    bars.check("control room at rest, its page open, RSS in MiB", room.memory("VmRSS")?, REST_MIB, false);
    drop(page);
    let (mut answers, end) = (Vec::new(), Instant::now() + LENGTH);
    let user = async {
        while Instant::now() < end {
            for path in ["/api/v1/incidents?open=true", "/api/v1/oncall", "/api/v1/changes"] {
                let started = Instant::now();
                room.ask("GET", path, "").await?;
                answers.push(started.elapsed().as_secs_f64() * 1_000.0);
            }
            tokio::time::sleep(THINKS).await;
        }
        anyhow::Ok(())
    };
    let messages = u32::try_from(GROUPS * ROUNDS)?;
    let storm = async {
        let mut pace = tokio::time::interval(LENGTH / messages);
        for (round, group) in (0..ROUNDS).flat_map(|round| (0..GROUPS).map(move |group| (round, group))) {
            pace.tick().await;
            room.ask("POST", "/hooks/alertmanager", &message(group, round)).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(user, storm)?;
    tokio::time::sleep(SETTLE).await;
    answers.sort_by(f64::total_cmp);
    println!("  {} answers, median {:.1} ms", answers.len(), answers[answers.len() / 2]);
    bars.check("API during the storm, p95 in ms", answers[answers.len() * 95 / 100], P95_MS, false);
    println!("  after the storm: {:.1} MiB of its own, without its program", room.memory("RssAnon")?);
    bars.check("control room after the storm, RSS in MiB", room.memory("VmRSS")?, MIB, false);
    Ok(())
}
