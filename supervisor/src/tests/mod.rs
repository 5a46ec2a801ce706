//! The supervisor on scripted parts: real processes, but no part of the lab.

mod ends;
mod fresh;
mod guests;
mod held;
mod memory;

use std::{fs, future::Future, path::Path, time::Duration};

use rustix::process::Signal;
use testkit::eventually_every;

use super::*;
use crate::{
    part::{Errand, Line, Preparation, Step},
    process,
    state::LabState,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Lab {
    home: Folder,
    board: Board,
    stop: Stop,
    running: tokio::task::JoinHandle<Result<()>>,
    _folder: tempfile::TempDir,
}

/// A part that runs a script in the lab's folder, and is ready when the file with its name exists.
fn script(home: &Folder, name: &str, text: &str) -> Part {
    Part::new(name, Line::new("sh").args(["-c", text]), probe::Probe::File(home.join(name)))
}

/// Becomes ready, then waits for SIGTERM.
fn steady(home: &Folder, name: &str) -> Part {
    // Ready after it has said so: it may be ended as soon as it is ready.
    script(home, name, &format!("echo {name} up >> order; touch {name}; exec sleep 600"))
}

fn quick() -> Policy {
    Policy { first: Duration::from_millis(30), cap: Duration::from_millis(100), ..Policy::default() }
}

fn home() -> (Folder, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let lab = Folder::at(folder.path());
    lab.create().unwrap();
    (lab, folder)
}

fn start(parts: impl FnOnce(&Folder) -> Vec<Part>, policy: Policy) -> Lab {
    let (home, folder) = home();
    let parts = parts(&home);
    let (board, stop) = (Board::new(&home, &parts, |_| {}), Stop::default());
    let running = {
        let (home, board, stop) = (home.clone(), board.clone(), stop.clone());
        tokio::spawn(async move { run(&home, parts, &board, policy, &stop).await })
    };
    Lab { home, board, stop, running, _folder: folder }
}

impl Lab {
    async fn until(&self, what: &str, holds: impl Fn(&LabState) -> bool) -> LabState {
        let mut states = self.board.watch();
        let found = within(what, states.wait_for(|state| holds(state))).await;
        found.unwrap().clone()
    }

    async fn ready(&self) -> LabState {
        self.until("ready", |state| state.phase == Phase::Ready).await
    }

    async fn end(self) -> Result<()> {
        self.stop.gently.cancel();
        let outcome = within("stopped", self.running).await.unwrap();
        // SIGKILL is sent when a part has ended; the system may take its children a moment later.
        until("alone", || process::marked(&self.home).is_empty()).await;
        outcome
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not {what} in time"))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let look = async || if holds() { Ok(()) } else { Err(format!("not {what}")) };
    eventually_every(Duration::from_millis(5), PATIENCE, look).await;
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn a_label_is_in_the_state_that_other_commands_read() {
    let (home, _folder) = home();
    let board = Board::new(&home, &[], |_| {});
    board.label("clock", "lab");
    let state = LabState::load(&home).unwrap().unwrap();
    assert_eq!(state.labels.get("clock").map(String::as_str), Some("lab"));
}

#[tokio::test]
async fn parts_start_after_what_they_need_and_stop_before_it() {
    let slow = |home: &Folder| {
        let trap = "trap 'echo store down >> order; exit' TERM; echo store up >> order; touch store; \
                    while :; do sleep 0.02; done";
        script(home, "store", trap)
    };
    let api = |home: &Folder| {
        let trap = "trap 'echo api down >> order; exit' TERM; echo api up >> order; touch api; \
                    while :; do sleep 0.02; done";
        script(home, "api", trap).after(&["store"])
    };
    let lab = start(|home| vec![api(home), slow(home)], quick());
    lab.ready().await;
    let order = lab.home.join("order");
    let dir = lab.home.clone();
    lab.stop.gently.cancel();
    within("stopped", lab.running).await.unwrap().unwrap();
    assert_eq!(lines(&order), ["store up", "api up", "api down", "store down"]);
    assert_eq!(process::marked(&dir), []);
}

#[tokio::test]
async fn a_killed_part_is_restarted_and_counted() {
    let lab = start(|home| vec![steady(home, "api")], quick());
    let first = lab.ready().await.parts[0].process.unwrap();
    first.signal(Signal::KILL);
    let state = lab
        .until("restarted", |state| state.parts[0].restarts == 1 && state.parts[0].process.is_some())
        .await;
    let second = state.parts[0].process.unwrap();
    assert_ne!(first, second);
    assert!(second.alive() && !first.alive());
    assert!(state.parts[0].last_exit.as_ref().unwrap().contains('9'), "{:?}", state.parts[0].last_exit);
    assert_eq!(LabState::load(&lab.home).unwrap().unwrap().parts[0].restarts, 1, "the file has it, too");
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_restart_that_was_announced_is_no_crash() {
    // A crash would make it wait for longer than this test.
    let slow = Policy { first: Duration::from_secs(600), cap: Duration::from_secs(600), ..Policy::default() };
    let lab = start(|home| vec![steady(home, "api")], slow);
    let first = lab.ready().await.parts[0].process.unwrap();
    let announcement = lab.home.restart("api");
    write_private(&announcement, &serde_json::to_string(&first).unwrap()).unwrap();
    first.signal(Signal::TERM);
    let again = |state: &LabState| {
        state.parts[0].status == Status::Ready && state.parts[0].process.is_some_and(|now| now != first)
    };
    let state = lab.until("restarted", again).await;
    assert_eq!((state.parts[0].restarts, state.parts[0].last_exit.as_deref()), (0, None));
    assert!(!announcement.exists(), "it is about one process");
    // One about a process that is gone does not excuse the next one.
    write_private(&announcement, &serde_json::to_string(&first).unwrap()).unwrap();
    state.parts[0].process.unwrap().signal(Signal::KILL);
    lab.until("counted", |state| state.parts[0].restarts == 1).await;
    assert!(!announcement.exists());
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_part_that_never_starts_fails_the_lab_with_its_name_and_stops_the_others() {
    let lab = start(
        |home| vec![steady(home, "store"), script(home, "api", "echo wrong >&2; exit 3").after(&["store"])],
        quick(),
    );
    lab.until("failed", |state| matches!(state.phase, Phase::Failed { .. })).await;
    let log = lab.home.log("api");
    assert_eq!(lines(&log), ["wrong"; 3], "three attempts");
    let problem = lab.end().await.unwrap_err().to_string();
    assert!(problem.contains("api did not come up") && problem.contains("exit status: 3"), "{problem}");
}

#[tokio::test]
async fn an_errand_runs_while_its_part_is_down_and_does_not_count_as_a_restart() {
    let part = |home: &Folder| {
        let mut part = steady(home, "store");
        let line = Line::new("sh").args(["-c", "cat request >> order; ! grep -q fail request"]);
        part.errand = Some(Errand { request: home.join("request"), line });
        part
    };
    let lab = start(|home| vec![part(home)], quick());
    let mut process = lab.ready().await.parts[0].process.unwrap();
    let (request, order) = (lab.home.join("request"), lab.home.join("order"));
    until("up", || lines(&order).len() == 1).await;
    // A failed one is not repeated: the part has to come back.
    for (wish, written) in [("forget", 3), ("fail", 5)] {
        fs::write(&request, format!("{wish}\n")).unwrap();
        process.signal(Signal::TERM);
        let back = |state: &LabState| {
            state.parts[0].status == Status::Ready && state.parts[0].process != Some(process)
        };
        let state = lab.until("back", back).await;
        assert_eq!((state.parts[0].restarts, request.exists()), (0, false), "{wish}");
        process = state.parts[0].process.unwrap();
        // The file that signals readiness is still that of the first run.
        until("up again", || lines(&order).len() == written).await;
    }
    assert_eq!(lines(&order), ["store up", "forget", "store up", "fail", "store up"]);
    lab.end().await.unwrap();
}

#[tokio::test]
async fn an_errand_does_not_wait_for_the_next_attempt_of_a_part_that_cannot_start() {
    let part = |home: &Folder| {
        let mut part = script(home, "store", "test -e data || exit 1; touch store; exec sleep 600");
        fs::write(home.join("data"), "").unwrap();
        let line = Line::new("sh").args(["-c", "touch data"]);
        part.errand = Some(Errand { request: home.join("request"), line });
        part
    };
    // Longer than the test may take.
    let policy = Policy { first: PATIENCE * 10, cap: PATIENCE * 10, ..Policy::default() };
    let lab = start(|home| vec![part(home)], policy);
    let process = lab.ready().await.parts[0].process.unwrap();
    fs::remove_file(lab.home.join("data")).unwrap();
    process.signal(Signal::KILL);
    lab.until("down", |state| state.parts[0].status == Status::Backoff).await;
    fs::write(lab.home.join("request"), "").unwrap();
    lab.until("back", |state| state.parts[0].process.is_some_and(|now| now != process)).await;
    assert!(lab.home.join("data").exists());
    lab.end().await.unwrap();
}

#[tokio::test]
async fn wrong_configuration_is_not_retried() {
    let lab = start(|home| vec![script(home, "api", "echo bad >&2; exit 64")], quick());
    lab.until("failed", |state| matches!(state.phase, Phase::Failed { .. })).await;
    assert_eq!(lines(&lab.home.log("api")), ["bad"]);
    lab.end().await.unwrap_err();
}

#[tokio::test]
async fn a_part_that_is_never_ready_fails_the_start_after_a_deadline() {
    let policy = Policy { patience: Duration::from_millis(200), ..quick() };
    let lab = start(|home| vec![script(home, "api", "exec sleep 600")], policy);
    lab.until("failed", |state| matches!(state.phase, Phase::Failed { .. })).await;
    assert!(lab.end().await.unwrap_err().to_string().contains("not ready after 200ms"));
}

#[tokio::test]
async fn a_preparation_runs_once_and_its_failure_fails_the_part() {
    let prepared = |home: &Folder, text: &str| {
        let mut part = steady(home, "store");
        let (draft, done) = (home.join("data.new"), home.join("data"));
        let make = Line::new("sh").args(["-c", text]);
        let steps = vec![
            Step::Remove(draft.clone()),
            Step::Run(make, "once\n".to_owned()),
            Step::Rename(draft, done.clone()),
        ];
        part.prepare = vec![Preparation { unless: done, steps }];
        vec![part]
    };
    let lab = start(|home| prepared(home, "mkdir data.new && cat >> prepared"), quick());
    let state = lab.ready().await;
    state.parts[0].process.unwrap().signal(Signal::KILL);
    lab.until("restarted", |state| state.parts[0].restarts == 1).await;
    assert_eq!(lines(&lab.home.join("prepared")), ["once"]);
    lab.end().await.unwrap();

    let lab = start(|home| prepared(home, "exit 7"), quick());
    lab.until("failed", |state| matches!(state.phase, Phase::Failed { .. })).await;
    assert!(lab.end().await.unwrap_err().to_string().contains("sh ended with exit status: 7"));
}
