//! A control room as a process of its own gets SIGKILL at every use of the system in a run with every kind of step: at each look,
//! before an act begins, before it is done, and before it is written down.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use runbook::Mode;

use crate::{
    kills::{left, life, undisturbed, whole},
    lab::{Lab, REACHED},
    place::{Place, open},
};

/// In the place: at which use the process waits to be killed.
const FUSE: &str = "fuse";
/// In the place: what was done.
const ACTS: &str = "acts";

/// The other half of the next test: a life in the folder that it was started in.
#[test]
#[ignore = "run by a_process_that_is_killed_at_any_use_of_the_system_does_each_act_once"]
fn one_life() {
    let folder = env::current_dir().expect("a folder");
    let fuse = fs::read_to_string(folder.join(FUSE)).expect("the other half wrote it");
    let lab = Lab::kept(&folder.join(ACTS), fuse.parse().expect("a number"));
    let place = Place::at(folder);
    life(async {
        let room = place.room(&lab).await;
        whole(&room, Mode::Ask).await;
    });
}

/// A life that is killed at a use of the system; false, if it ended before.
fn killed(folder: &Path, fuse: usize) -> bool {
    fs::write(folder.join(FUSE), fuse.to_string()).expect("a file");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "sigkill::one_life", "--ignored", "--nocapture"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let reached = lines.map_while(Result::ok).any(|line| line.contains(REACHED));
    if reached {
        child.kill().expect("it waits for that");
    }
    let status = child.wait().expect("it is gone");
    assert_eq!(status.success(), !reached, "{status}");
    reached
}

#[test]
fn a_process_that_is_killed_at_any_use_of_the_system_does_each_act_once() {
    let expected = undisturbed(Mode::Ask);
    let mut kills = 0;
    for fuse in 1.. {
        let place = Place::new("30s");
        let lab = || Lab::kept(&place.path(ACTS), usize::MAX);
        life(async { open(&place.room(&lab()).await, "order-worker").await });
        let killed = killed(&place.path(""), fuse);
        let lab = lab();
        let found = life(async {
            let room = place.room(&lab).await;
            whole(&room, Mode::Ask).await;
            left(&room, &lab).await
        });
        assert_eq!(found, expected, "killed at use {fuse}");
        if !killed {
            break;
        }
        kills += 1;
    }
    // Four looks before the first act, two after the second; each of three acts is used three times.
    assert!(kills >= 12, "only {kills} uses to be killed at");
}
