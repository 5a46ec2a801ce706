//! The control room is killed in the middle of a run, and opened again with the same file.

use std::path::Path;

use chrono::Utc;
use control_room::{
    Room, SERVICE,
    access::Visitor,
    actions, assemble,
    drills::{self, Order, RunView},
};
use drill::{Mode, What, engine::Responder};
use incident::{Source, Viewer};
use serde_json::json;
use tempfile::TempDir;
use testkit::eventually;

use crate::{
    lab::{Lab, SOON},
    rig::config,
};

fn ben() -> Visitor {
    Visitor { name: "ben".to_owned(), role: Viewer::Instructor }
}

/// A control room of which only drills run.
async fn open(folder: &Path, lab: &Lab) -> Room {
    let config = config(folder, lab);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = assemble(&config, chassis).await.expect("a control room");
    drills::start(&room);
    room
}

/// As SIGKILL: nothing that runs may end.
async fn kill(room: Room) {
    room.chassis.kill();
    room.chassis.tasks.close();
    room.chassis.tasks.wait().await;
}

async fn begin(room: &Room, mode: Mode) -> RunView {
    let order = Order { drill: Some("quick".to_owned()), mode, seed: None, difficulty: None, variant: None };
    room.drills.begin(room, &ben(), order).await.expect("it begins")
}

async fn over(room: &Room) -> RunView {
    eventually(SOON, || async {
        let run = room.drills.run(&ben(), 1).await.map_err(|error| error.to_string())?;
        if run.ended_at.is_some() { Ok(run) } else { Err(format!("{run:?}")) }
    })
    .await
}

fn person() -> Mode {
    Mode::Person { name: "ada".to_owned() }
}

/// A run that is killed as soon as something is broken.
async fn killed(mode: Mode) -> (Lab, TempDir) {
    killed_in(Lab::start().await, mode).await
}

/// The same in this lab.
async fn killed_in(lab: Lab, mode: Mode) -> (Lab, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let room = open(folder.path(), &lab).await;
    begin(&room, mode).await;
    lab.until_broken(true).await;
    kill(room).await;
    let left = {
        let memory = lab.memory();
        (memory.faults.len(), memory.off.len())
    };
    assert_eq!(left, (1, 1), "nobody has ended it");
    (lab, folder)
}

#[tokio::test]
async fn a_persons_run_goes_on_and_everything_is_ended_when_it_is_over() {
    let (lab, folder) = killed(person()).await;
    let room = open(folder.path(), &lab).await;
    let run = room.drills.current(&ben()).await.expect("it is read").expect("it is in progress");
    assert_eq!((run.id, run.phase.as_str(), run.drill.as_deref()), (1, "observe", Some("quick")));
    room.drills.tell(&room, &ben(), 1, What::Noticed).await.expect("it is taken");
    let why = "enough".to_owned();
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    let run = over(&room).await;
    assert_eq!(run.verdict.as_deref(), Some("aborted"));
    lab.assert_clean();
    assert!(room.drills.current(&ben()).await.expect("it is read").is_none());
    kill(room).await;
}

#[tokio::test]
async fn a_verification_ends_by_itself_with_nothing_broken() {
    let (lab, folder) = killed(Mode::Verify { responder: Responder::Solution }).await;
    let room = open(folder.path(), &lab).await;
    assert!(room.drills.is_rehearsing());
    // Nobody sends the page, so it fails once the page is late: and cleans up.
    let run = over(&room).await;
    assert_eq!(run.verdict.as_deref(), Some("failed"), "{run:?}");
    let conditions: Vec<&str> = run.failures.iter().map(|failure| failure.condition.as_str()).collect();
    assert_eq!(conditions, ["QuickBurn of order-api pages"]);
    lab.assert_clean();
    kill(room).await;
    let room = open(folder.path(), &lab).await;
    assert!(room.drills.is_rehearsing(), "its last alerts may still come");
    kill(room).await;
}

#[tokio::test]
async fn a_reset_that_was_interrupted_is_finished() {
    let (lab, folder) = killed(person()).await;
    lab.memory().stubborn = true;
    let room = open(folder.path(), &lab).await;
    let why = "enough".to_owned();
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    // What can be put back is put back, whatever refuses.
    eventually(SOON, || async {
        let memory = lab.memory();
        if memory.off.is_empty() { Ok(()) } else { Err(format!("{memory:?}")) }
    })
    .await;
    let again = room.drills.tell(&room, &ben(), 1, What::Aborted { why: String::new() }).await;
    assert!(again.unwrap_err().to_string().contains("puts everything back"), "not given up so soon");
    kill(room).await;
    lab.memory().stubborn = false;
    let room = open(folder.path(), &lab).await;
    assert_eq!(over(&room).await.verdict.as_deref(), Some("aborted"));
    lab.assert_clean();
    kill(room).await;
}

/// A replica that a runbook drained, and would have put back in a minute.
const OUT: &str = "127.0.0.1:8003";

#[tokio::test]
async fn what_somebody_has_drained_gets_requests_again_however_the_reset_is_interrupted() {
    let (lab, folder) = killed_in(Lab::with_edge().await, person()).await;
    {
        let mut memory = lab.memory();
        memory.drained.insert(OUT.to_owned());
        memory.stubborn = true;
    }
    let room = open(folder.path(), &lab).await;
    let why = "enough".to_owned();
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    eventually(SOON, || async {
        let run = room.drills.run(&ben(), 1).await.map_err(|error| error.to_string())?;
        let waits = "no replica is drained (seen: 127.0.0.1:8003 is drained at edge)";
        if run.waiting_for.iter().any(|one| one == waits) { Ok(()) } else { Err(format!("{run:?}")) }
    })
    .await;
    kill(room).await;
    assert!(lab.memory().drained.contains(OUT));
    lab.memory().stubborn = false;
    let room = open(folder.path(), &lab).await;
    assert_eq!(over(&room).await.verdict.as_deref(), Some("aborted"));
    lab.assert_clean();
    kill(room).await;
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_put_back_before_another_begins() {
    let (lab, folder) = killed_in(Lab::with_edge().await, person()).await;
    lab.memory().drained.insert(OUT.to_owned());
    // A row as another version might have left it.
    let room = open(folder.path(), &lab).await;
    let mut writing = room.store.begin().await.expect("its turn");
    sqlx::query("UPDATE drill_runs SET file = 'id: quick'")
        .execute(&mut *writing)
        .await
        .expect("it is changed");
    writing.commit(&room.bus).await.expect("it is kept");
    kill(room).await;

    lab.memory().stubborn = true;
    let room = open(folder.path(), &lab).await;
    let (drill, mode) = (Some("quick".to_owned()), person());
    let order = Order { drill, mode, seed: None, difficulty: None, variant: None };
    let refused = room.drills.begin(&room, &ben(), order).await.unwrap_err().to_string();
    assert!(refused.contains("run 1 cannot be read"), "{refused}");
    lab.memory().stubborn = false;
    let run = over(&room).await;
    assert_eq!((run.verdict.as_deref(), run.truth.is_none()), (Some("aborted"), true), "{run:?}");
    lab.assert_clean();
    kill(room).await;
}

#[tokio::test]
async fn an_act_that_was_done_and_not_written_down_counts_all_the_same() {
    let (lab, folder) = killed(person()).await;
    let room = open(folder.path(), &lab).await;
    let id = "019c0000-0000-7000-8000-000000000001";
    let begun = json!({
        "id": id, "at": Utc::now(), "by": Source::Person("ada".to_owned()), "incident": null, "why": null,
        "action": { "action": "rollback", "change": "release-2" }, "undo": null, "mark": null, "life": id,
    });
    let mut writing = room.store.begin().await.expect("its turn");
    sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?)")
        .bind(format!("actions.begun.{id}"))
        .bind(begun.to_string())
        .execute(&mut *writing)
        .await
        .expect("it is kept");
    writing.commit(&room.bus).await.expect("it is kept");
    kill(room).await;

    let room = open(folder.path(), &lab).await;
    actions::start(&room);
    lab.until_broken(false).await;
    let run = room.drills.run(&ben(), 1).await.expect("a run");
    assert_eq!(run.acts, ["roll back release-2"], "{run:?}");
    let why = "enough".to_owned();
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    over(&room).await;
    lab.assert_clean();
    kill(room).await;
}

#[tokio::test]
async fn what_was_switched_off_at_an_admin_port_is_on_again_after_the_reset() {
    let (lab, folder) = killed(person()).await;
    lab.memory().off.insert("timeout".to_owned());
    let room = open(folder.path(), &lab).await;
    let why = "enough".to_owned();
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    assert_eq!(over(&room).await.verdict.as_deref(), Some("aborted"));
    lab.assert_clean();
    kill(room).await;
}

#[tokio::test]
async fn a_run_that_should_have_been_over_long_ago_is_aborted_and_reset() {
    let (lab, folder) = killed(person()).await;
    // As if it had begun two hours ago.
    let room = {
        let config = config(folder.path(), &lab);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        assemble(&config, chassis).await.expect("a control room")
    };
    let earlier = (Utc::now() - chrono::TimeDelta::hours(2)).to_rfc3339();
    let mut writing = room.store.begin().await.expect("its turn");
    sqlx::query("UPDATE drill_runs SET start = json_set(start, '$.at', ?)")
        .bind(earlier)
        .execute(&mut *writing)
        .await
        .expect("it is changed");
    sqlx::query("DELETE FROM drill_events").execute(&mut *writing).await.expect("nothing has happened since");
    writing.commit(&room.bus).await.expect("it is kept");
    kill(room).await;

    let room = open(folder.path(), &lab).await;
    let run = over(&room).await;
    assert_eq!(run.verdict.as_deref(), Some("aborted"), "{run:?}");
    assert!(run.failures[0].seen.contains("the control room was away"), "{run:?}");
    lab.assert_clean();
    kill(room).await;
}

#[tokio::test]
async fn what_was_done_once_is_not_shown_twice() {
    let (lab, folder) = killed(person()).await;
    let room = open(folder.path(), &lab).await;
    let mut writing = room.store.begin().await.expect("its turn");
    // The row says that they were done: without it they are due again.
    sqlx::query("DELETE FROM drill_events WHERE look = 0 AND (data LIKE '%noise%' OR data LIKE '%change[%')")
        .execute(&mut *writing)
        .await
        .expect("it is changed");
    writing.commit(&room.bus).await.expect("it is kept");
    kill(room).await;

    let room = open(folder.path(), &lab).await;
    let why = "enough".to_owned();
    eventually(SOON, || async {
        let events: Vec<String> =
            sqlx::query_scalar("SELECT data FROM drill_events WHERE look = 0 AND data LIKE '%noise%'")
                .fetch_all(room.store.read())
                .await
                .map_err(|error| error.to_string())?;
        if events.len() >= 2 { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
    let since = Utc::now() - chrono::TimeDelta::hours(1);
    let texts: Vec<String> = room.changes.since(since).into_iter().map(|change| change.text).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    let pages = room.phone.after(0, 100).await.expect("pages");
    let hello = pages.iter().filter(|page| page.text.as_deref() == Some("Colleague: hello"));
    assert_eq!(hello.count(), 1);
    room.drills.tell(&room, &ben(), 1, What::Aborted { why }).await.expect("it stops");
    over(&room).await;
    lab.assert_clean();
    kill(room).await;
}
