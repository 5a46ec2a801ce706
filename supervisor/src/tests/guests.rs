//! Parts that come and go while the lab runs, and parts that become something else.

use super::*;

struct Inn {
    lab: Lab,
    roster: Roster,
}

/// A lab of one part, and the roster of its guests.
async fn inn() -> Inn {
    let (home, folder) = home();
    let parts = vec![steady(&home, "store")];
    let (board, stop) = (Board::new(&home, &parts, |_| {}), Stop::default());
    let (roster, guests) = roster();
    let running = {
        let (home, board, stop) = (home.clone(), board.clone(), stop.clone());
        tokio::spawn(async move { run_with(&home, parts, &board, quick(), &stop, guests).await })
    };
    let lab = Lab { home, board, stop, running, _folder: folder };
    lab.ready().await;
    Inn { lab, roster }
}

fn status(state: &LabState, name: &str) -> Option<Status> {
    state.part(name).map(|part| part.status)
}

#[tokio::test]
async fn a_guest_comes_is_kept_up_and_leaves_the_board_when_it_has_ended() {
    let Inn { lab, roster } = inn().await;
    roster.start(steady(&lab.home, "canary"));
    let state = lab.until("a guest", |state| status(state, "canary") == Some(Status::Ready)).await;
    let first = state.part("canary").and_then(|part| part.process).unwrap();
    first.signal(Signal::KILL);
    lab.until("kept up", |state| {
        let part = state.part("canary");
        part.is_some_and(|part| part.restarts == 1 && part.process.is_some_and(|process| process != first))
    })
    .await;
    roster.stop("canary");
    lab.until("gone", |state| state.part("canary").is_none()).await;
    // The name is free again; and a guest that nobody has stopped ends with the lab.
    roster.start(steady(&lab.home, "canary"));
    lab.until("again", |state| status(state, "canary") == Some(Status::Ready)).await;
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_guest_that_does_not_start_is_shown_as_failed_and_the_lab_keeps_running() {
    let Inn { lab, roster } = inn().await;
    roster.start(script(&lab.home, "canary", "exit 64"));
    let state = lab.until("failed", |state| status(state, "canary") == Some(Status::Failed)).await;
    assert_eq!((&state.phase, status(&state, "store")), (&Phase::Ready, Some(Status::Ready)));
    assert!(state.part("canary").is_some_and(|part| part.last_exit.is_some()));
    roster.stop("canary");
    lab.until("gone", |state| state.part("canary").is_none()).await;
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_part_becomes_something_else_at_once_and_that_is_no_crash() {
    let Inn { lab, roster } = inn().await;
    let line = Line::new("sh").args(["-c", "echo new >> order; exec sleep 600"]);
    roster.become_of(&lab.home, &lab.board, "store", line).unwrap();
    let order = lab.home.join("order");
    until("the new one", || lines(&order) == ["store up", "new"]).await;
    let state = lab.until("ready", |state| status(state, "store") == Some(Status::Ready)).await;
    assert_eq!(state.part("store").map(|part| part.restarts), Some(0));
    lab.end().await.unwrap();
}
