//! `lab --context … release`: a release of an image in a cluster, from its first step to its end. Only helm and kubectl are fakes, which
//! keep the chart's values in files; the edges, Prometheus and the control room are a server of this test; everything else is the real
//! command, with the real judge.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and PATH is what it changes"
)]

mod cluster;
mod fakes;

use std::io::{BufRead as _, BufReader, Read as _};

use cluster::{Cluster, GOOD, Weather, said};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// The steps of a release that reaches everyone: a canary without requests, which has to be ready first; then the weights; then
/// everybody's tag; and both guests go, without requests.
const ALL: [&str; 7] = ["weight 0", "weight 5", "weight 25", "weight 50", "tag v2", "weight 0", "gone"];

#[test]
fn a_good_image_reaches_everyone_step_by_step() {
    let cluster = Cluster::start(GOOD);
    let output = cluster.release().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(cluster.steps(), ALL);
    let told = cluster.told();
    for expected in [
        "5 % of the requests to order-api go to the canary v2",
        "50 % of the requests to order-api go to the canary v2",
        "order-api v2 is released: every request",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // What happened can be read afterwards, and the same version is not released twice.
    let listed = said(&cluster.lab(&["list"]).output().unwrap());
    assert!(
        listed.contains("REL-1") && listed.contains("v1 -> v2") && listed.contains("released"),
        "{listed}"
    );
    let again = cluster.release().output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(said(&again).contains("order-api already runs v2"), "{}", said(&again));
}

#[test]
fn a_bad_image_loses_its_requests_before_it_goes() {
    let cluster = Cluster::start(Weather { failing: 0.8, ..GOOD });
    let output = cluster.release().output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(cluster.steps(), ["weight 0", "weight 5", "weight 0", "gone"], "{}", said(&output));
    assert!(
        cluster.told().contains("order-api is back on v1, v2 was rolled back: worse at 5 %"),
        "{}",
        cluster.told()
    );
}

#[test]
fn an_image_that_computes_wrong_totals_goes_although_no_request_fails() {
    let cluster = Cluster::start(Weather { wrong: 0.8, ..GOOD });
    let output = cluster.release().output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(cluster.steps(), ["weight 0", "weight 5", "weight 0", "gone"], "{}", said(&output));
    let told = cluster.told();
    assert!(told.contains("v2 was rolled back: worse at 5 %: wrong-totals: "), "{told}");
}

#[test]
fn a_release_that_was_killed_continues_and_makes_no_step_twice() {
    let cluster = Cluster::start(GOOD);
    let mut first = cluster.release().spawn().unwrap();
    cluster.until("the second step", |cluster| cluster.steps().iter().any(|step| step == "weight 25"));
    first.kill().unwrap();
    first.wait().unwrap();
    let status = said(&cluster.lab(&["status"]).output().unwrap());
    assert!(status.contains("nobody drives it"), "{status}");
    let output = cluster.release().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("REL-1 continues"), "{}", said(&output));
    assert_eq!(cluster.steps(), ALL);
}

#[test]
fn a_release_that_was_killed_can_be_stopped() {
    let cluster = Cluster::start(GOOD);
    let mut first = cluster.release().spawn().unwrap();
    cluster.until("the first step", |cluster| cluster.steps().iter().any(|step| step == "weight 5"));
    first.kill().unwrap();
    first.wait().unwrap();
    let output = cluster.lab(&["abort", "REL-1", "Users complain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(cluster.steps(), ["weight 0", "weight 5", "weight 0", "gone"]);
    assert!(
        cluster.told().contains("order-api is back on v1: ada stopped it: Users complain"),
        "{}",
        cluster.told()
    );
}

#[test]
fn each_person_tells_the_control_room_what_they_did() {
    let cluster = Cluster::start(GOOD);
    let mut first = cluster.release().spawn().unwrap();
    cluster.until("the first step", |cluster| cluster.steps().iter().any(|step| step == "weight 5"));
    first.kill().unwrap();
    first.wait().unwrap();
    let output = cluster.lab_as("ben", &["abort", "REL-1", "Users complain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // The control room of this test takes what a request's own person signs, and nothing else.
    let told = cluster.told();
    assert!(told.contains("order-api is back on v1: ben stopped it: Users complain"), "{told}");
}

#[test]
fn an_abort_takes_over_from_a_terminal_that_is_killed_meanwhile() {
    let cluster = Cluster::start(GOOD);
    let mut first = cluster.release().spawn().unwrap();
    cluster.until("the first step", |cluster| cluster.steps().iter().any(|step| step == "weight 5"));
    // It drives, by its seat, and does nothing. Not while it writes: nobody else could then.
    cluster.until("it stops when it does not write", |cluster| {
        kill_process(Pid::from_child(&first), Signal::STOP).unwrap();
        waitpid(Some(Pid::from_child(&first)), WaitOptions::UNTRACED).unwrap();
        let writes = cluster.journal().try_lock().is_err();
        if writes {
            kill_process(Pid::from_child(&first), Signal::CONT).unwrap();
        }
        !writes
    });
    let mut abort = cluster.lab(&["abort", "REL-1", "Users complain"]).spawn().unwrap();
    let mut lines = BufReader::new(abort.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("another terminal drives REL-1"), "{line}");
    first.kill().unwrap();
    first.wait().unwrap();
    lines.read_to_string(&mut line).unwrap();
    assert_eq!(abort.wait().unwrap().code(), Some(0), "{line}");
    assert_eq!(cluster.steps(), ["weight 0", "weight 5", "weight 0", "gone"], "{line}");
}

#[test]
fn a_spent_budget_or_anything_but_a_tag_is_refused_before_the_cluster_is_changed() {
    let cluster = Cluster::start(Weather { budget: 0.0, ..GOOD });
    let wanted = ["start", "order-api", "--version", "v2", "--why", "Faster orders"];
    for (more, expected) in [
        (&[] as &[&str], "releases of order-api are frozen"),
        (&["--env", "USER_SERVICE_TIMEOUT=1ms"], "--version is the tag of an image"),
        (&["--detach"], "leave out --detach"),
    ] {
        let output = cluster.lab(&[&wanted[..], more].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(expected), "{expected}: {}", said(&output));
    }
    let output = cluster
        .lab(&["start", "order-worker", "--version", "v2", "--why", "Faster orders"])
        .output()
        .unwrap();
    assert!(said(&output).contains("expected order-api or user-service"), "{}", said(&output));
    assert_eq!(cluster.steps(), Vec::<String>::new());
}
