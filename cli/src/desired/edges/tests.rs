//! Edges without edges: what their answers come to.

use serde_json::json;

use super::*;

const FILE: &str = "id: scanners\n";

fn answer(rps: f64, mode: &str, pushed: bool) -> Result<Answer, String> {
    let rules = json!([{ "id": "scanners", "mode": mode, "pushed": pushed }]);
    Ok(Answer {
        limit: json!({ "limit": { "rps": rps, "burst": 40 } }),
        waf: json!({ "enabled": true, "rules": rules }),
    })
}

fn good() -> Result<Answer, String> {
    answer(20.0, "off", true)
}

fn hangs() -> Result<Answer, String> {
    Err("it hangs".to_owned())
}

/// Two edges, which nobody calls.
fn two() -> Edges {
    let edge = |name: &str| (name.to_owned(), Peer::at("http://127.0.0.1:1"));
    Edges::new(vec![edge("edge"), edge("edge-2")])
}

fn running(pids: [u32; 2]) -> Running {
    let names = ["edge", "edge-2"].map(str::to_owned);
    names.into_iter().zip(pids.map(|pid| ProcId { pid, started: 1 })).collect()
}

fn mode() -> Setting {
    Setting::Mode { rule: "scanners".to_owned() }
}

fn file() -> Setting {
    Setting::Rule { rule: "scanners".to_owned() }
}

fn value(text: &str) -> Seen {
    Seen::Value(text.to_owned())
}

#[test]
fn a_setting_is_what_every_edge_says() {
    let mut edges = two();
    let same = [good(), good()];
    assert_eq!(edges.seen(&Setting::Limit, &same), value("rps=20 burst=40"));
    assert_eq!(edges.seen(&Setting::Firewall, &same), value("true"));
    assert_eq!(edges.seen(&mode(), &same), value("off"));
    assert_eq!(edges.seen(&file(), &same), Seen::Absent, "nobody knows which file");
    edges.pushed.insert("scanners".to_owned(), FILE.to_owned());
    assert_eq!(edges.seen(&file(), &same), value(FILE));
    let other = [good(), answer(20.0, "enforce", false)];
    assert_eq!(edges.seen(&file(), &other), value(DIFFERS));
    assert_eq!(edges.seen(&mode(), &other), value(DIFFERS));
    assert!(matches!(edges.seen(&mode(), &[]), Seen::Unknown(_)));
    let none = [Ok(Answer { limit: json!({ "limit": null }), waf: json!({ "rules": [] }) })];
    assert_eq!(edges.seen(&Setting::Limit, &none), Seen::Absent);
}

#[test]
fn an_edge_that_does_not_answer_is_named_and_hides_nothing_of_the_others() {
    let mut edges = two();
    let look = edges.found(BTreeSet::from([mode()]), &[good(), hangs()], &running([1, 2]));
    assert_eq!(look.seen[&mode()], value("off"));
    assert_eq!(look.silent, ["edge-2 does not answer, and is set once it does: it hangs"]);
    let look = edges.found(BTreeSet::from([mode()]), &[hangs(), hangs()], &running([1, 2]));
    assert_eq!(look.seen[&mode()], Seen::Unknown("it hangs".to_owned()));
}

#[test]
fn an_edge_that_restarted_has_lost_everything_once_it_answers() {
    let mut edges = two();
    let settings = || BTreeSet::from([mode(), file()]);
    assert!(edges.found(settings(), &[good(), good()], &running([1, 2])).lost.is_empty());
    edges.pushed.insert("scanners".to_owned(), FILE.to_owned());
    assert!(edges.found(settings(), &[good(), good()], &running([1, 2])).lost.is_empty());
    assert!(edges.found(settings(), &[good(), hangs()], &running([1, 3])).lost.is_empty(), "not yet");
    let look = edges.found(settings(), &[good(), good()], &running([1, 3]));
    assert_eq!(look.lost, settings());
    assert_eq!(look.seen[&file()], value(DIFFERS), "nobody knows which file it has");
    assert!(edges.found(settings(), &[good(), good()], &running([1, 3])).lost.is_empty(), "once");
}

#[test]
fn an_edge_that_was_not_told_is_told_once_it_answers_and_one_that_was_only_slow_is_not() {
    let mut edges = two();
    let settings = || BTreeSet::from([mode()]);
    edges.found(settings(), &[good(), hangs()], &running([1, 2]));
    assert!(
        edges.found(settings(), &[good(), good()], &running([1, 2])).lost.is_empty(),
        "it missed nothing"
    );
    edges.found(settings(), &[good(), hangs()], &running([1, 2]));
    edges.performed(&Act { setting: mode(), to: None }, true);
    edges.found(settings(), &[good(), hangs()], &running([1, 2]));
    assert_eq!(edges.found(settings(), &[good(), good()], &running([1, 2])).lost, settings());
    assert!(edges.missed.is_empty());
}

#[test]
fn of_a_file_that_one_edge_refused_nobody_knows_where_it_is() {
    let mut edges = two();
    edges.found(BTreeSet::from([file()]), &[good(), good()], &running([1, 2]));
    let push = Act { setting: file(), to: Some(FILE.to_owned()) };
    edges.performed(&push, true);
    assert_eq!(edges.seen(&file(), &[good(), good()]), value(FILE));
    edges.performed(&push, false);
    assert_eq!(edges.seen(&file(), &[good(), good()]), value(DIFFERS));
    edges.performed(&Act { setting: file(), to: None }, true);
    assert_eq!(edges.seen(&file(), &[good(), good()]), Seen::Absent);
}
