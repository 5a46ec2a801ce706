//! `lab torture` itself: it detects a lost order, and it ends when it is told to, leaving nothing behind. The
//! minute of torture in `./lab test` tests everything else.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::Connection;
use testkit::{Claim, Need, available};

use crate::{
    lab::{self, TURN, eventually},
    offsets::offset,
};

/// Time for the lab to start and for two kills.
const SOON: Duration = Duration::from_secs(120);
/// Time to settle, to report and to stop.
const END: Duration = Duration::from_secs(240);

struct Torture {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    seen: Vec<String>,
    _claim: Claim,
}

impl Torture {
    fn start(args: &[&str]) -> Self {
        let (offset, claim) = offset();
        let mut child = Command::new(env!("CARGO_BIN_EXE_lab"))
            .args(["torture", "--for", "10m", "--seed", "5", "--rps", "20", "--json"])
            .args(["--port-offset", &offset.to_string()])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lab runs");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, seen: Vec::new(), _claim: claim }
    }

    /// Waits for `count` kills.
    async fn kills(&mut self, count: usize) {
        while self.seen.iter().filter(|line| line.contains(" s  kill ")).count() < count {
            match self.lines.recv_timeout(SOON) {
                Ok(line) => self.seen.push(line),
                Err(error) => panic!("{error}: {:#?}", self.seen),
            }
        }
    }

    fn folder(&self) -> PathBuf {
        let line = self.seen.iter().find_map(|line| line.split_once("starting a lab in "));
        PathBuf::from(line.expect("it says where").1)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("it takes signals");
    }

    /// Waits for the end; returns the exit code and the report.
    async fn end(&mut self) -> (Option<i32>, Value) {
        let child = std::cell::RefCell::new(&mut self.child);
        let code = eventually(END, || async {
            let status = child.borrow_mut().try_wait().expect("a child");
            status.map(|status| status.code()).ok_or_else(|| "it still runs".to_owned())
        })
        .await;
        let mut report = String::new();
        let _ = self.child.stdout.take().expect("a pipe").read_to_string(&mut report);
        self.seen.extend(self.lines.try_iter());
        let report = serde_json::from_str(&report);
        (code, report.unwrap_or_else(|error| panic!("{error}: {:#?}", self.seen)))
    }
}

impl Drop for Torture {
    fn drop(&mut self) {
        // A test failed in between: two signals end it at once.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            self.signal(Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn able() -> bool {
    available(&[Need::Postgres, Need::Redis, Need::Prometheus, Need::Alertmanager])
}

#[tokio::test]
async fn an_interrupted_torture_reports_and_leaves_nothing_behind() {
    if !able() {
        return;
    }
    let _turn = TURN.lock().await;
    let mut torture = Torture::start(&[]);
    torture.kills(2).await;
    let folder = torture.folder();
    assert!(folder.exists());
    torture.signal(Signal::INT);
    let (code, report) = torture.end().await;
    assert_eq!(code, Some(0), "{report:#}\n{:#?}", torture.seen);
    assert_eq!((&report["pass"], &report["interrupted"]), (&true.into(), &"interrupted".into()));
    assert_eq!((&report["books"]["lost"], &report["books"]["doubled"]), (&0.into(), &0.into()));
    assert!(report["kills"].as_array().is_some_and(|kills| kills.len() >= 2), "{report:#}");
    assert!(report["clients"]["answered"].as_u64() > Some(0), "{report:#}");
    assert_eq!(report["clients"]["answered"], report["clients"]["keys"]);
    assert_gone(&folder);
    assert!(!folder.exists() && !folder.parent().is_some_and(Path::exists), "the folder is left");
}

#[tokio::test]
async fn a_lost_order_fails_the_torture_and_the_data_are_kept() {
    if !able() {
        return;
    }
    let _turn = TURN.lock().await;
    let target =
        tempfile::Builder::new().prefix("lab-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = target.path().join("lab");
    let mut torture = Torture::start(&["--rest", "15s", "--folder", &folder.to_string_lossy()]);
    torture.kills(1).await;
    let folder = torture.folder();
    let id = lose_an_order(&folder).await;
    torture.signal(Signal::TERM);
    let (code, report) = torture.end().await;
    assert_eq!(code, Some(1), "{report:#}");
    // The order is gone, so its payment belongs to no order.
    assert_eq!((&report["books"]["lost"], &report["books"]["doubled"]), (&1.into(), &1.into()), "{report:#}");
    assert!(report["violations"].to_string().contains(&id), "{report:#}");
    assert_gone(&folder);
    assert!(folder.join("log/order-api.log").exists(), "the logs are kept");
    let purged =
        Command::new(env!("CARGO_BIN_EXE_lab")).arg("--dir").arg(&folder).args(["down", "--purge"]).output();
    assert!(purged.is_ok_and(|output| output.status.success()));
}

/// Deletes one settled order of the callers directly in the database; returns its id.
async fn lose_an_order(folder: &Path) -> String {
    let state = || std::fs::read(folder.join("state.json")).ok();
    let state: Value = serde_json::from_slice(&state().expect("a state")).expect("JSON");
    let parts = state["parts"].as_array().expect("parts");
    let port = parts.iter().find_map(|part| part["ports"]["postgres"].as_u64()).expect("a port");
    let entries = std::fs::read_to_string(folder.join("secrets/pgpass")).expect("the owner's password");
    let password = entries.lines().next().and_then(|entry| entry.rsplit(':').next()).expect("an entry");
    let url = format!("postgres://lab:{password}@127.0.0.1:{port}/orders");
    const SQL: &str = "DELETE FROM orders WHERE id = (SELECT id FROM orders
        WHERE idempotency_key LIKE 'torture-%' AND status = 'completed' ORDER BY id LIMIT 1) RETURNING id::text";
    eventually(SOON, || async {
        // The last kill may have hit the database.
        let mut connection = sqlx::PgConnection::connect(&url).await.map_err(|error| error.to_string())?;
        let id: Option<String> = sqlx::query_scalar(SQL)
            .fetch_optional(&mut connection)
            .await
            .map_err(|error| error.to_string())?;
        id.ok_or_else(|| "no order is completed".to_owned())
    })
    .await
}

fn assert_gone(folder: &Path) {
    assert_eq!(lab::marked(folder), Vec::<String>::new(), "processes are left");
}

/// A checkout whose script says that this machine lacks something for Apache Kafka.
#[test]
fn without_java_a_torture_on_apache_kafka_is_skipped_loudly_and_fails_in_ci() {
    let root =
        tempfile::Builder::new().prefix("lab-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let tools = root.path().join("tools/kafka");
    for folder in [&root.path().join("dashboards/rules"), &tools] {
        fs::create_dir_all(folder).expect("a folder");
    }
    let fetch = tools.join("fetch");
    fs::write(&fetch, "#!/bin/sh\necho Java 17 or newer\necho Maven\n").expect("a script");
    fs::set_permissions(&fetch, fs::Permissions::from_mode(0o755)).expect("its rights");
    for (ci, code, words) in
        [("", 0, "SKIPPED: torture: Apache Kafka needs"), ("true", 1, "Apache Kafka needs")]
    {
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        lab.arg("--root").arg(root.path()).args(["torture", "--kafka", "apache"]).env("CI", ci);
        let output = lab.output().expect("lab runs");
        let said = lab::text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "CI={ci}: {said}");
        assert!(said.contains(&format!("{words} Java 17 or newer and Maven")), "CI={ci}: {said}");
        assert_eq!(said.contains("SKIPPED"), code == 0, "{said}");
    }
}
