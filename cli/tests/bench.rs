//! `lab drill bench` on a control room of this test: what a program is told, what it is not told, and what is
//! said of it.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and the environment of the command is part of it"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use testkit::eventually;

/// Longest wait for a program to begin or to end.
const SOON: Duration = Duration::from_secs(30);

/// A control room with one run at a time: healthy at the second look, over once it is submitted.
#[derive(Default)]
struct State {
    /// Bodies of what was begun.
    begun: Vec<Value>,
    looks: u32,
    submitted: bool,
    aborted: bool,
    /// Whether everyone may become an instructor.
    open: bool,
    beginning: Beginning,
}

/// What becomes of the answer to who begins a run.
#[derive(Default, PartialEq, Eq)]
enum Beginning {
    #[default]
    Answered,
    WillBeLost,
    WasLost,
}

struct Room {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Room {
    fn start(open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { open, ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || listener.incoming().for_each(|stream| answer(&stream.unwrap(), &shared)));
        Self { port, state }
    }

    fn bench(&self, folder: &Path, responder: &Path, more: &[&str]) -> Output {
        self.command(folder, responder, more).output().unwrap()
    }

    fn command(&self, folder: &Path, responder: &Path, more: &[&str]) -> Command {
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args([
                "--control-room",
                &url,
                "drill",
                "bench",
                "--drills",
                "noon",
                "--env",
                "OUT",
                "--responder",
            ])
            .arg(responder)
            .args(more)
            .env("OUT", folder.join("told"))
            .env("FAULTS_TOKEN", "the-answer")
            .env("LAB_ROOT", "/the/drills");
        command
    }
}

/// Answers one request.
fn answer(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let (mut asked, mut length) = (String::new(), 0);
    if reader.read_line(&mut asked).unwrap_or_default() == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let words: Vec<&str> = asked.split(' ').collect();
    let mut state = state.lock().unwrap();
    let (status, said) = said(&mut state, words[0], words[1], &body);
    if state.beginning == Beginning::WillBeLost && status == 201 {
        state.beginning = Beginning::WasLost;
        return;
    }
    drop(state);
    let text = said.to_string();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let mut stream = stream;
    // A client that has left does not end the server.
    let _ = write!(stream, "{head}content-length: {}\r\n\r\n{text}", text.len());
}

fn said(state: &mut State, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    match (method, path.split('?').next().unwrap_or_default()) {
        ("GET", "/api/v1/faults") => (if state.open { 200 } else { 403 }, json!({ "faults": [] })),
        ("GET", "/api/v1/observe/usage") => (200, json!({ "queries": 3, "actions": 1, "by_tool": {} })),
        ("POST", "/api/v1/drills/runs") if state.beginning == Beginning::WasLost => {
            (409, json!({ "detail": "run 1 of my-agent is under way" }))
        }
        ("POST", "/api/v1/drills/runs") => {
            state.begun.push(serde_json::from_slice(body).unwrap());
            (state.looks, state.submitted) = (0, false);
            (201, run(state))
        }
        ("POST", path) if path.ends_with("/submit") => {
            state.submitted = true;
            (200, run(state))
        }
        ("POST", path) if path.ends_with("/abort") => {
            state.aborted = true;
            (200, run(state))
        }
        _ => {
            state.looks += 1;
            (200, run(state))
        }
    }
}

fn run(state: &State) -> Value {
    let phase = match (state.looks, state.submitted) {
        (0..2, _) => "baseline",
        (_, false) => "observe",
        (_, true) => "finished",
    };
    let over = phase == "finished";
    json!({
        "id": state.begun.len(), "drill": "noon", "responder": "my-agent", "phase": phase,
        "started_at": Utc::now(), "ended_at": over.then(|| Utc::now() + TimeDelta::minutes(1)),
        "acts": ["restart order-api"], "verdict": over.then_some("passed"),
        "score": over.then(|| json!({ "total": 80 })),
    })
}

fn program(folder: &Path, lines: &str) -> PathBuf {
    let path = folder.join("my-agent");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_program_is_told_where_its_run_is_and_nothing_else_and_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(false);
    let agent = program(folder.path(), "{ env; echo in=$(pwd); echo files=$(ls -A); } > \"$OUT\"");
    let output = room.bench(folder.path(), &agent, &["--seeds", "2", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["pass_at_1"], &report["pass_hat_k"]), (&json!(1.0), &json!(1.0)), "{report:#}");
    assert_eq!(report["sealed"], true);
    let second = &report["drills"][0]["attempts"][1];
    assert_eq!((&second["seed"], &second["score"], &second["queries"]), (&json!(2), &json!(80.0), &json!(3)));
    assert_eq!(second["exit"], 0);
    let begun = room.state.lock().unwrap().begun.clone();
    assert_eq!(begun[0], json!({ "drill": "noon", "seed": 1, "responder": "my-agent" }));
    assert_eq!(begun.len(), 2);

    let told = fs::read_to_string(folder.path().join("told")).unwrap();
    for line in [
        format!("LAB_MCP_URL=http://127.0.0.1:{}/mcp", room.port),
        "LAB_RUN_ID=2".to_owned(),
        "LAB_AGENT=my-agent".to_owned(),
        "files=".to_owned(),
    ] {
        assert!(told.lines().any(|told| told == line), "no {line} in {told}");
    }
    assert!(!told.contains("the-answer") && !told.contains("/the/drills"), "{told}");
    let place = told.lines().find_map(|line| line.strip_prefix("in=")).unwrap();
    assert!(!Path::new(place).exists(), "its folder is gone: {place}");
}

#[test]
fn a_lab_that_seals_nothing_is_refused_unless_that_is_wanted_and_a_row_for_the_table_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(true);
    let agent = program(folder.path(), "exit 3");
    let refused = room.bench(folder.path(), &agent, &["--seeds", "1"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("FAULTS_TOKEN") && said.contains("--unsealed"),
        "{said}"
    );
    assert!(room.state.lock().unwrap().begun.is_empty(), "nothing was begun");
    let output = room.bench(folder.path(), &agent, &["--seeds", "1", "--markdown", "--unsealed"]);
    let (row, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(row.starts_with("| my-agent | 1 x 1 | 100 % | 100 % | 80 | 1 | 3 |"), "{row}");
    assert!(said.contains("noon, seed 1 of 1: passed, score 80") && said.contains("ended with 3"), "{said}");
}

#[test]
fn a_run_whose_beginning_was_not_answered_is_found_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(false);
    room.state.lock().unwrap().beginning = Beginning::WillBeLost;
    let agent = program(folder.path(), "exit 0");
    let output = room.bench(folder.path(), &agent, &["--seeds", "1", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["drills"][0]["attempts"][0]["verdict"], "passed", "{report:#}");
    assert_eq!(room.state.lock().unwrap().begun.len(), 1, "it was begun once");
}

#[test]
fn a_program_that_is_not_there_is_named_and_its_run_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(false);
    let output = room.bench(folder.path(), &folder.path().join("no-agent"), &["--seeds", "9"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("no-agent"), "{said}");
    assert!(said.contains("noon, seed 1: not run to its end: "), "{said}");
    let state = room.state.lock().unwrap();
    assert!(state.aborted, "the run continues");
    assert_eq!(state.begun.len(), 3, "no further one is better");
}

/// Whether a process runs; one that has ended and that nobody asks about does not.
fn runs(pid: &str) -> bool {
    let known = pid.parse().ok().and_then(Pid::from_raw);
    let ended = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    known.is_some_and(|pid| test_kill_process(pid).is_ok()) && !ended
}

#[tokio::test]
async fn sigterm_ends_the_program_with_all_that_it_started_and_aborts_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(false);
    let agent =
        program(folder.path(), "sleep 600 &\necho $! > \"$OUT.part\"; mv \"$OUT.part\" \"$OUT\"; wait");
    let mut bench = room.command(folder.path(), &agent, &["--seeds", "1"]).spawn().unwrap();
    let told = folder.path().join("told");
    let child =
        eventually(SOON, || async { fs::read_to_string(&told).map_err(|error| error.to_string()) }).await;
    let child = child.trim();
    assert!(runs(child), "{child}");
    let pid = i32::try_from(bench.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let status = eventually(SOON, || {
        let ended = bench.try_wait().unwrap();
        async move { ended.ok_or_else(|| "it continues".to_owned()) }
    })
    .await;
    assert!(!status.success(), "{status}");
    eventually(SOON, || async { if runs(child) { Err(format!("{child} still runs")) } else { Ok(()) } })
        .await;
    assert!(room.state.lock().unwrap().aborted, "the run continues");
}
