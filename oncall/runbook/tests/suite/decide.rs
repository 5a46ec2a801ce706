//! Decisions: a person chooses a branch, or its condition does, and only its steps are done.

use std::collections::BTreeMap;

use runbook::{
    Answer, Call, Event, Mode, Next, Place, Run, What, Who, dry, read_runbook,
    run::{Ending, Refused},
};

use crate::support::{Room, ada, at, map, value};

const FILE: &str = "runbooks/Ways.yaml";
const TEXT: &str = r#"
title: Take one of two ways
services: [order-worker]
steps:
  - name: which
    what: See what fits.
    decide:
      - {name: hung, what: It does not answer., promql: up, is: "== 0"}
      - {name: full, what: It has no memory left., promql: memory, is: "> 90"}
  - name: restart
    when: hung
    what: Start it again.
    act:
      verb: restart
      with: {service: order-worker}
      blast_radius: 1 replica
      idempotency_key: ${run}/restart
      undo: {nothing: the new process is like the old one}
  - name: grow
    when: full
    what: Share the work.
    act:
      verb: scale
      with: {service: order-worker, by: 1}
      blast_radius: 1 replica
      idempotency_key: ${run}/grow
      undo: {verb: scale, with: {service: order-worker, by: -1}}
  - name: well
    what: It answers.
    verify: {promql: well, is: "== 1", within: 30s}
"#;

/// A branch, as it is in the text.
const FULL: &str = "      - {name: full, what: It has no memory left., promql: memory, is: \"> 90\"}\n";

fn started(text: &str, mode: Mode) -> Event {
    let what = What::Started {
        run: "run-1".to_owned(),
        file: FILE.to_owned(),
        text: text.to_owned(),
        mode,
        by: ada(),
        incident: None,
        parameters: BTreeMap::new(),
        labels: BTreeMap::new(),
    };
    Event { at: at("2026-11-29T07:00:00Z"), what }
}

type Answers = fn(&Place, &Call, bool) -> Answer;

/// Memory is short, and the process answers.
fn full(_: &Place, call: &Call, _: bool) -> Answer {
    match call {
        Call::Promql { query } if query == "memory" => value(95.0),
        _ => value(1.0),
    }
}

/// The journal of a run, and the acts that were done.
fn done(mode: Mode, answers: Answers) -> (Run, Vec<String>) {
    let mut room = Room::new(answers);
    room.start(started(TEXT, mode)).expect("nobody kills it");
    (Run::replay(&room.journal).expect("a run"), room.world.keys().cloned().collect())
}

#[test]
fn without_a_person_the_first_branch_whose_condition_holds_is_taken() {
    let (run, acts) = done(Mode::Auto, full);
    assert_eq!(acts, ["run-1/grow"]);
    let passed: Vec<(Place, &str)> = run.passed().iter().map(|it| (it.place, it.text.as_str())).collect();
    assert_eq!(passed[0], (Place::Step(0), "full: 95"));
    assert!(!passed.iter().any(|(place, _)| *place == Place::Step(1)), "{passed:?}");
    assert_eq!(run.end().map(|end| end.how), Some(Ending::Succeeded));
}

#[test]
fn without_a_branch_that_fits_or_an_answer_nothing_is_done() {
    fn neither(_: &Place, _: &Call, _: bool) -> Answer {
        value(1.0)
    }
    fn silent(_: &Place, _: &Call, _: bool) -> Answer {
        Answer::Failed { why: "refused".to_owned() }
    }
    for (answers, said) in [
        (neither as Answers, "no branch is the right one; at the last, expected > 90"),
        (silent as Answers, "nothing can be decided: could not be asked: refused"),
    ] {
        let (run, acts) = done(Mode::Auto, answers);
        let end = run.end().expect("an end");
        assert!(acts.is_empty() && end.how == Ending::Stopped && end.why.contains(said), "{end:?}");
    }
}

#[test]
fn a_person_chooses_by_name_and_cannot_leave_it_open() {
    let (run, acts) = done(Mode::Manual, full);
    assert_eq!(acts, ["run-1/restart"], "the first one, whatever its condition says");
    assert_eq!(run.passed()[0].text, "ada chooses hung");

    let mut run = Run::start(&started(TEXT, Mode::Manual)).expect("a run");
    let Next::Confirm(shown) = run.next() else { panic!("{:?}", run.next()) };
    let names: Vec<&str> = shown.branches.iter().map(|branch| branch.name.as_str()).collect();
    assert_eq!((shown.kind, names), ("decide", vec!["hung", "full"]));
    assert_eq!(shown.text, "hung (up == 0), or full (memory > 90)");
    let apply = |run: &mut Run, what| run.apply(&Event { at: at("2026-11-29T07:00:20Z"), what });
    let by = || "ada".to_owned();
    for branch in [None, Some("both".to_owned())] {
        let confirmed = What::Confirmed { place: Place::Step(0), by: by(), branch };
        assert!(matches!(apply(&mut run, confirmed), Err(Refused::Branch { .. })));
    }
    let skipped = What::Skipped { place: Place::Step(0), by: by(), why: "who knows".to_owned() };
    assert!(matches!(apply(&mut run, skipped), Err(Refused::NotSkippable { .. })));
    let confirmed = What::Confirmed { place: Place::Step(0), by: by(), branch: Some("full".to_owned()) };
    apply(&mut run, confirmed).expect("it is chosen");
    assert_eq!(run.place(), Place::Step(2));
    let confirmed = What::Confirmed { place: Place::Step(2), by: by(), branch: Some("full".to_owned()) };
    assert!(matches!(apply(&mut run, confirmed), Err(Refused::Branch { .. })), "it has no branches");
}

#[test]
fn what_has_no_condition_is_for_a_person() {
    let text = TEXT.replace(", promql: memory, is: \"> 90\"", "");
    for mode in [Mode::Ask, Mode::Auto] {
        let refused = Run::start(&started(&text, mode)).expect_err("it needs a person").to_string();
        assert_eq!(refused, "which is decided by a person: run it in mode manual");
    }
    assert!(Run::start(&started(&text, Mode::Manual)).is_ok());
}

#[test]
fn a_journal_without_branches_is_read_as_before() {
    let old = r#"{"type":"confirmed","place":"step-1","by":"ada"}"#;
    let what: What = serde_json::from_str(old).expect("an event");
    assert_eq!(serde_json::to_string(&what).expect("JSON"), old);
}

#[test]
fn a_second_person_sees_the_acts_of_every_branch() {
    let runbook = read_runbook(FILE, TEXT).expect("a runbook");
    let given = runbook::Given { run: "run-1", incident: None, parameters: &map(&[]), labels: &map(&[]) };
    let plan = runbook::Plan::new(runbook, &given).expect("a plan");
    let texts: Vec<String> = plan.changes().iter().map(|(_, change)| change.text()).collect();
    assert_eq!(texts.len(), 3, "two acts, one of which can be taken back: {texts:?}");
    assert_eq!(dry::run(&plan, &BTreeMap::new(), &BTreeMap::new()).steps.len(), 4);
}

#[test]
fn a_dry_run_says_which_branch_would_be_taken_now() {
    let runbook = read_runbook(FILE, TEXT).expect("a runbook");
    let given = runbook::Given { run: "run-1", incident: None, parameters: &map(&[]), labels: &map(&[]) };
    let plan = runbook::Plan::new(runbook, &given).expect("a plan");
    let asked: Vec<((usize, usize), String)> =
        dry::conditions(&plan).into_iter().map(|(branch, call)| (branch, call.text())).collect();
    assert_eq!(asked, [((0, 0), "up".to_owned()), ((0, 1), "memory".to_owned())]);
    let taken = |up: Answer, memory: f64| -> Vec<bool> {
        let answers = BTreeMap::from([((0, 0), up), ((0, 1), value(memory))]);
        dry::ways(&plan, 0, &answers).iter().map(|way| way.taken).collect()
    };
    assert_eq!(taken(value(0.0), 95.0), [true, false], "the first one that holds");
    assert_eq!(taken(value(1.0), 95.0), [false, true]);
    assert_eq!(taken(value(1.0), 5.0), [false, false]);
    let silent = Answer::Failed { why: "refused".to_owned() };
    assert_eq!(taken(silent, 95.0), [false, false], "what is not known is no reason to take another way");
    assert!(dry::ways(&plan, 1, &BTreeMap::new()).is_empty(), "it decides nothing");
}

#[test]
fn a_mistake_in_a_decision_has_its_line_and_field() {
    for (old, new, said) in [
        (
            "when: full",
            "when: ful",
            ":20: steps[2].when: expected a branch of an earlier `decide`: hung, full;",
        ),
        ("name: full", "name: hung", ":9: steps[0].decide[1].name: `hung` is already taken"),
        (", is: \"> 90\"", "", ":9: steps[0].decide[1].is: missing"),
        (FULL, "", ": steps[0].decide: expected 2 to 8 branches, found 1"),
        ("name: well\n", "name: well\n    when: full\n", ":10: steps[1]: nothing proves that it helped"),
    ] {
        assert!(TEXT.contains(old), "{old}");
        let problems = read_runbook(FILE, &TEXT.replacen(old, new, 1)).expect_err(new).to_string();
        assert!(problems.contains(said), "{new}: {problems}");
    }
    let idle = TEXT.replace("    when: hung\n", "").replace("    when: full\n", "");
    let problems = read_runbook(FILE, &idle).expect_err("no step belongs to it").to_string();
    assert!(problems.contains("steps[0].decide: nothing follows from it"), "{problems}");
    let alert = format!("alert: Ways\nclass: project{TEXT}");
    let problems = read_runbook(FILE, &alert).expect_err("an alert has no class").to_string();
    assert!(problems.starts_with("runbooks/Ways.yaml:2: class: expected none"), "{problems}");
}

#[test]
fn automation_may_start_what_it_can_decide() {
    let mut event = started(TEXT, Mode::Auto);
    if let What::Started { by, .. } = &mut event.what {
        *by = Who::Automation;
    }
    assert!(Run::start(&event).is_ok());
}
