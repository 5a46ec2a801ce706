//! Edges without edges: what their answers come to.

use contracts::firewall::fingerprint;
use serde_json::{Value, json};

use super::*;

const FILE: &str = "id: scanners\n";

fn answer(rps: f64, mode: &str, file: Option<&str>) -> Result<Answer, String> {
    let rules = json!([{ "id": "scanners", "mode": mode, "pushed": file.is_some(), "mode_set": false,
        "fingerprint": fingerprint(file.unwrap_or_default()), "of_file": null }]);
    Ok(Answer {
        limit: json!({ "limit": { "rps": rps, "burst": 40 } }),
        waf: json!({ "enabled": true, "rules": rules }),
        routes: json!({ "routes": [] }),
    })
}

fn good() -> Result<Answer, String> {
    answer(20.0, "off", Some(FILE))
}

fn hangs() -> Result<Answer, String> {
    Err("it hangs".to_owned())
}

fn member(name: &str, process: Option<u32>) -> Member {
    Member {
        name: name.to_owned(),
        service: EDGE.to_owned(),
        admin: "http://127.0.0.1:1".to_owned(),
        process: process.map(|process| process.to_string()),
        ready: true,
    }
}

/// Two edges, which nobody calls, and what is wanted of them.
struct Two {
    edges: Edges,
    wanted: Settings,
}

impl Two {
    fn new() -> Self {
        let wanted = [(mode(), "off"), (file(), FILE), (Setting::Limit, "rps=20 burst=40")];
        let wanted = wanted.into_iter().map(|(setting, value)| (setting, value.to_owned())).collect();
        Self { edges: Edges::new(None), wanted }
    }

    fn look(&mut self, settings: &[Setting], answers: [Result<Answer, String>; 2], pids: [u32; 2]) -> Look {
        let names = ["edge", "edge-2"];
        let members: Vec<Member> =
            names.iter().zip(pids).map(|(name, process)| member(name, Some(process))).collect();
        self.edges.meet(&members);
        let answers = names.map(str::to_owned).into_iter().zip(answers).collect();
        self.edges.found(
            settings.iter().cloned().collect(),
            (&self.wanted, &["order-api".to_owned()]),
            answers,
        )
    }

    fn seen(&mut self, setting: &Setting, answers: [Result<Answer, String>; 2]) -> Seen {
        self.look(std::slice::from_ref(setting), answers, [1, 2]).seen[setting].clone()
    }
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
    let mut two = Two::new();
    let same = || [good(), good()];
    assert_eq!(two.seen(&Setting::Limit, same()), value("rps=20 burst=40"));
    assert_eq!(two.seen(&Setting::Firewall, same()), value("true"));
    assert_eq!(two.seen(&mode(), same()), value("off"));
    assert_eq!(two.seen(&file(), same()), value(FILE));
    let other = || [good(), answer(20.0, "enforce", Some("id: other\n"))];
    assert_eq!(two.seen(&file(), other()), value(DIFFERS));
    assert_eq!(two.seen(&mode(), other()), value(DIFFERS));
    assert_eq!(two.edges.differing(&mode(), &two.wanted), ["edge-2"]);
    let none =
        || Ok(Answer { limit: json!({ "limit": null }), waf: json!({ "rules": [] }), routes: Value::Null });
    assert_eq!(two.seen(&Setting::Limit, [none(), none()]), Seen::Absent);
    let nobody = Edges::new(None).found(BTreeSet::from([mode()]), (&two.wanted, &[]), BTreeMap::new());
    assert!(matches!(nobody.seen[&mode()], Seen::Unknown(_)));
}

#[test]
fn an_edge_that_does_not_answer_is_named_and_hides_nothing_of_the_others() {
    let mut two = Two::new();
    let look = two.look(&[mode()], [good(), hangs()], [1, 2]);
    assert_eq!(look.seen[&mode()], value("off"));
    assert_eq!(look.silent, ["edge-2 does not answer, and is set once it does: it hangs"]);
    assert_eq!(two.seen(&mode(), [hangs(), hangs()]), Seen::Unknown("it hangs".to_owned()));
}

#[test]
fn an_edge_that_restarted_has_lost_everything_once_it_answers() {
    let (mut two, settings) = (Two::new(), [mode(), file()]);
    let all = BTreeSet::from(settings.clone());
    assert!(two.look(&settings, [good(), good()], [1, 2]).lost.is_empty());
    assert!(two.look(&settings, [good(), good()], [1, 2]).lost.is_empty());
    assert!(two.look(&settings, [good(), hangs()], [1, 3]).lost.is_empty(), "not yet");
    assert_eq!(two.look(&settings, [good(), good()], [1, 3]).lost, all);
    assert!(two.look(&settings, [good(), good()], [1, 3]).lost.is_empty(), "once");
}

#[test]
fn an_edge_that_comes_later_was_told_nothing_and_one_that_is_gone_is_nobody() {
    let (mut two, settings) = (Two::new(), [mode()]);
    assert!(two.look(&settings, [good(), good()], [1, 2]).lost.is_empty());
    two.edges.meet(&[member("edge", Some(1)), member("edge-3", Some(4))]);
    let answers = || BTreeMap::from([("edge".to_owned(), good()), ("edge-3".to_owned(), good())]);
    let look = two.edges.found(BTreeSet::from(settings.clone()), (&two.wanted, &[]), answers());
    assert_eq!(look.lost, BTreeSet::from(settings.clone()));
    assert!(look.silent.is_empty(), "{:?}", look.silent);
    let look = two.edges.found(BTreeSet::from(settings), (&two.wanted, &[]), answers());
    assert!(look.lost.is_empty(), "once");
}

#[test]
fn an_edge_that_was_not_told_is_told_once_it_answers_and_one_that_was_only_slow_is_not() {
    let (mut two, settings) = (Two::new(), [mode()]);
    two.look(&settings, [good(), hangs()], [1, 2]);
    assert!(two.look(&settings, [good(), good()], [1, 2]).lost.is_empty(), "it missed nothing");
    two.look(&settings, [good(), hangs()], [1, 2]);
    two.edges.performed(&Act { setting: mode(), to: None }, true);
    two.look(&settings, [good(), hangs()], [1, 2]);
    assert_eq!(two.look(&settings, [good(), good()], [1, 2]).lost, BTreeSet::from(settings));
    assert!(two.edges.missed.is_empty());
}

#[test]
fn weights_by_hand_are_found_with_their_edge() {
    let mut two = Two::new();
    let weighed = good().map(|answer| {
        let to = json!([{ "upstream": "order-api", "weight": 1 }, { "upstream": "order-api-canary", "weight": 9 }]);
        let routes = json!({ "routes": [{ "name": "orders", "weights_set": true, "to": to }] });
        Answer { routes, ..answer }
    });
    let look = two.look(&[], [good(), weighed], [1, 2]);
    assert_eq!(look.reweighted, [("edge-2".to_owned(), "orders".to_owned())]);
}
