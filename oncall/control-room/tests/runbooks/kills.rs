//! SIGKILL at any point of a run with every kind of step.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use control_room::{
    Room,
    runbooks::{DenialFields, tend, view::RunState},
};
use incident::{EntryKind, Id};
use runbook::{Mode, audit::verify_export};

use crate::{
    lab::{Kind, Lab},
    place::{Place, begin, open, person},
};

/// Polls between two kills: an event takes more, so no event is without one.
const STRIDE: usize = 4;

/// Polls a future only so often, and drops it: what SIGKILL leaves of it.
async fn killed<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Every life has its own runtime, so nothing of a killed one keeps running.
pub(crate) fn life<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run)
}

/// Begins the run, or continues it, until it is over: ada confirms each step, ben approves.
pub(crate) async fn whole(room: &Room, mode: Mode) {
    let known = room.runbooks.runs(1).await.expect("runs").pop();
    let id = match known {
        Some(run) => run.id,
        None => begin(room, mode, Some(Id(1))).await.id,
    };
    loop {
        tend(room, &id).await.expect("it continues");
        let run = room.runbooks.run(&id).await.expect("a run");
        match (run.state, run.request) {
            (RunState::Ended, _) => return,
            (_, Some(request)) => {
                let approved = room.runbooks.approve(room, &person("ben"), &id, &request.digest).await;
                approved.expect("it is approved");
            }
            _ => drop(room.runbooks.confirm(room, &person("ada"), &id, None).await.expect("it is confirmed")),
        }
    }
}

/// What is left after all lives.
#[derive(Debug, PartialEq)]
pub(crate) struct Left {
    acts: BTreeMap<String, u32>,
    ending: Option<String>,
    why: Option<String>,
    undone: Vec<String>,
    left: Vec<String>,
    /// Entries of the timeline about the run's looks and its end.
    told: Vec<(EntryKind, String)>,
}

pub(crate) async fn left(room: &Room, lab: &Lab) -> Left {
    let log = room.runbooks.audit().await.expect("a log");
    verify_export(&log, None).expect("an intact chain");
    let mut runs = room.runbooks.runs(9).await.expect("runs");
    assert_eq!(runs.len(), 1, "a run begins once");
    let run = runs.remove(0);
    let incident = room.desk.get(Id(1)).await.expect("an incident");
    let told = incident.timeline.iter().filter(|entry| entry.source.name() == "Every");
    let told = told.map(|entry| (entry.kind, entry.text.clone())).collect();
    Left { acts: lab.acts(), ending: run.ending, why: run.why, undone: run.undone, left: run.left, told }
}

fn prepared() -> (Place, Arc<Lab>) {
    let (place, lab) = (Place::new("30s"), Lab::new(Kind::Good));
    life(async { open(&place.room(&lab).await, "order-worker").await });
    (place, lab)
}

pub(crate) fn undisturbed(mode: Mode) -> Left {
    let (place, lab) = prepared();
    life(async {
        let room = place.room(&lab).await;
        whole(&room, mode).await;
        left(&room, &lab).await
    })
}

#[test]
fn a_run_that_is_killed_anywhere_does_each_act_once_and_ends_the_same() {
    let expected = undisturbed(Mode::Ask);
    assert_eq!(expected.ending.as_deref(), Some("succeeded"), "{expected:?}");
    assert!(expected.acts.len() == 3 && expected.acts.values().all(|times| *times == 1), "{expected:?}");
    let mut kills = 0;
    for polls in (0..).step_by(STRIDE) {
        let (place, lab) = prepared();
        let ended = life(async {
            let room = place.room(&lab).await;
            killed(polls, whole(&room, Mode::Ask)).await.is_some()
        });
        let found = life(async {
            let room = place.room(&lab).await;
            whole(&room, Mode::Ask).await;
            left(&room, &lab).await
        });
        // Whether an act was done is found out, and said so; all else is the same.
        assert_eq!(found, expected, "killed after {polls} polls");
        if ended {
            break;
        }
        kills += 1;
    }
    assert!(kills > 12, "only {kills} points to be killed at");
}

#[test]
fn what_is_denied_while_the_room_is_away_is_not_done_although_it_was_allowed() {
    let (mut begun, mut kept) = (0, 0);
    for polls in (0..).step_by(STRIDE) {
        let (place, lab) = prepared();
        let ended = life(async {
            let room = place.room(&lab).await;
            killed(polls, whole(&room, Mode::Ask)).await.is_some()
        });
        if ended {
            break;
        }
        life(async {
            let room = place.room(&lab).await;
            let log = room.runbooks.audit().await.expect("a log");
            let is_begun = log.matches(r#""action":"act.begun""#).count() > 1;
            let (why, verbs) = ("nobody restarts anything".to_owned(), vec!["restart".to_owned()]);
            let fields = DenialFields { why, verbs, targets: Vec::new(), runbooks: Vec::new() };
            room.runbooks.deny(&room, &person("ada"), "freeze", fields).await.expect("it is denied");
            whole(&room, Mode::Ask).await;
            let restarted = lab.acts().contains_key("RUN-1/restart");
            assert_eq!(restarted, is_begun, "killed after {polls} polls");
            if is_begun { begun += 1 } else { kept += 1 }
        });
    }
    assert!(begun > 2 && kept > 6, "{begun} had begun, and {kept} had not");
}

#[test]
fn a_guided_run_can_be_killed_again_and_again() {
    let expected = undisturbed(Mode::Manual);
    for polls in [24, 32] {
        let (place, lab) = prepared();
        let lives = (0..200).take_while(|_| {
            let ended = life(async {
                let room = place.room(&lab).await;
                killed(polls, whole(&room, Mode::Manual)).await
            });
            ended.is_none()
        });
        let lives = lives.count();
        assert!((2..200).contains(&lives), "{lives} lives of {polls} polls");
        let found = life(async { left(&place.room(&lab).await, &lab).await });
        assert_eq!(found, expected, "{lives} lives of {polls} polls");
    }
}
