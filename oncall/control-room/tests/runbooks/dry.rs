//! A dry run: every step with the answer of now, and the guardrails as a run of this incident would meet them.

use std::collections::BTreeMap;

use control_room::runbooks::dry::Wanted;
use runbook::Verdict;

use crate::{
    place::{Place, open, person},
    system::System,
};

/// The worker does not answer, and others serve.
fn hangs(query: &str, _: bool) -> f64 {
    if query.contains("edge_ejected") { 2.0 } else { 0.0 }
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn what_automation_may_do_is_asked_for_the_incident_that_it_would_be_for() {
    let place = Place::committed(&["TargetDown"]);
    let room = place.with(System::hung(hangs)).await;
    room.runbooks.switch(&room, &person("ada"), true, "it is a test").await.expect("it is on");
    let id = open(&room, "order-worker").await;
    let parameters = given(&[("service", "order-worker"), ("instance", "127.0.0.1:9103")]);
    let wanted = Wanted { incident: Some(id), parameters, labels: BTreeMap::new() };
    let dry = async || room.runbooks.dry(&room, "TargetDown", &wanted).await.expect("a dry run");
    let shown = dry().await;
    assert!(shown.ready && shown.problems.is_empty(), "{shown:?}");
    let changes: Vec<(Option<&str>, Verdict)> =
        shown.changes.iter().map(|change| (change.when.as_deref(), change.verdict)).collect();
    let all = [(Some("drained"), Verdict::Allow), (None, Verdict::Allow), (None, Verdict::Allow)];
    assert_eq!(changes, all, "its own incident holds nothing back: {shown:?}");
    let branches: Vec<(&str, bool)> =
        shown.decisions[0].branches.iter().map(|branch| (branch.name.as_str(), branch.taken)).collect();
    assert_eq!(branches, [("at-once", false), ("drained", true)]);
    assert_eq!(shown.decisions[0].branches[1].seen.as_deref(), Some("2"));

    let other = open(&room, "order-worker").await;
    let shown = dry().await;
    let restart = &shown.changes[1];
    let said = format!("order-worker has another incident: {other}");
    assert!(restart.verdict == Verdict::Recommend && restart.reasons.contains(&said), "{restart:?}");
    room.runbooks.switch(&room, &person("ada"), false, "we look ourselves").await.expect("it is off");
    let shown = dry().await;
    let off = "ada switched automation off: we look ourselves".to_owned();
    assert!(shown.changes.iter().all(|change| change.reasons.contains(&off)), "{shown:?}");
}

#[tokio::test]
async fn a_step_that_waits_for_a_second_person_is_shown_too() {
    let place = Place::committed(&["restore"]);
    let room = place.with(System::new(hangs)).await;
    let parameters = given(&[("to", "latest"), ("instance", "sre-lab/.lab")]);
    let wanted = Wanted { parameters, ..Wanted::default() };
    let shown = room.runbooks.dry(&room, "restore", &wanted).await.expect("a dry run");
    assert!(shown.approvals[0].contains("only people know"), "{shown:?}");
    assert_eq!((shown.changes.len(), shown.changes[0].verdict), (1, Verdict::Recommend), "{shown:?}");
}
