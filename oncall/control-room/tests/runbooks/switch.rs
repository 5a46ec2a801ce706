//! The kill switch, and the audit log of what was done.

use std::time::Duration;

use control_room::runbooks::{self, view::RunState};
use incident::EntryKind;
use runbook::{Mode, audit::verify_export};
use testkit::eventually;

use crate::{
    lab::{Kind, Lab},
    place::{Place, begin, open, person},
};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn off_stops_what_runs_by_itself_and_says_what_stays() {
    let (place, lab) = (Place::new("1h"), Lab::new(Kind::Bad));
    let room = place.in_memory(&lab).await;
    runbooks::start(&room);
    let id = open(&room, "order-worker").await;
    let run = begin(&room, Mode::Auto, Some(id)).await;
    assert_eq!((run.state, run.by.as_str(), run.incident), (RunState::Running, "ada", Some(id)));
    // It waits for a proof that does not come.
    eventually(SOON, || async {
        let run = room.runbooks.run(&run.id).await.map_err(|error| error.to_string())?;
        let waits = run.steps.iter().any(|step| step.name == "good" && step.state.to_string() == "now");
        if waits { Ok(()) } else { Err(format!("{run:?}")) }
    })
    .await;
    let again = begin_again(&room).await;
    assert!(again.contains("RUN-1 of Every is under way for the same"), "{again}");
    let off = room.runbooks.switch(&room, &person("ben"), false, "it makes things worse").await;
    let view = off.expect("it is off");
    assert!(!view.on && view.recent[0].by == "ben", "{view:?}");
    let stopped = room.runbooks.run(&run.id).await.expect("a run");
    assert_eq!(stopped.ending.as_deref(), Some("stopped"));
    let why = "stopped by ben: automation was switched off: it makes things worse";
    assert_eq!(stopped.why.as_deref(), Some(why));
    assert_eq!((stopped.left.len(), stopped.undone.len()), (2, 0), "nothing is taken back: {stopped:?}");
    let incident = room.desk.get(id).await.expect("an incident");
    let told = |part: &str| {
        incident.timeline.iter().any(|entry| entry.kind == EntryKind::Note && entry.text.contains(part))
    };
    assert!(told(why) && told("leaves as it is: restart order-worker"), "{:?}", incident.timeline);
    let refused = room.runbooks.stop(&room, &person("ada"), &run.id, "enough").await.unwrap_err().to_string();
    assert!(refused.contains("the run is over"), "{refused}");
    room.chassis.shutdown.cancel();
}

/// Why the same cannot begin again.
async fn begin_again(room: &control_room::Room) -> String {
    let parameters = [("service".to_owned(), "order-worker".to_owned())].into();
    let again = room.runbooks.begin(room, &person("ben"), "Every", Mode::Auto, None, parameters).await;
    again.expect_err("it is refused").to_string()
}

#[tokio::test]
async fn a_line_of_the_log_that_was_changed_is_found() {
    let (place, lab) = (Place::new("30s"), Lab::new(Kind::Good));
    let room = place.in_memory(&lab).await;
    let run = begin(&room, Mode::Auto, None).await;
    runbooks::tend(&room, &run.id).await.expect("it continues");
    let log = room.runbooks.audit().await.expect("a log");
    let head = verify_export(&log, None).expect("an intact chain");
    assert!(head.seq > 10 && log.contains("act.begun") && log.contains("run.ended"), "{log}");
    let changed = log.replacen("\"by\":\"ada\"", "\"by\":\"eve\"", 1);
    assert_eq!(verify_export(&changed, None).unwrap_err().seq, 1);
    let lines: Vec<&str> = log.lines().collect();
    let removed = [&lines[..3], &lines[4..]].concat().join("\n");
    assert!(verify_export(&removed, None).unwrap_err().what.contains("removed"));
    let cut = lines[..5].join("\n");
    assert!(verify_export(&cut, None).is_ok(), "a cut is not seen");
    let broken = verify_export(&cut, Some(&head)).unwrap_err();
    assert!(broken.what.contains("cut off"), "unless the head is known: {broken}");
}
